"""A file that PostgreSQL did not complete is recognizable as incomplete."""

import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from flights.exports import FORMATS
from tests import raw_http
from tests.nginx import in_front_of
from tests.platform import Site, until

FLIGHTS = "/api/flight_delay_data/"
PARTIAL, RESET = 18, 56  # curl's exit codes of a transfer that was not completed


def end_exports() -> int:
    """End the connections of all exports, as an administrator or a crash does; count them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE query LIKE 'COPY%' AND state = 'active' AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def streamed() -> list[str]:
    """The formats that are sent while PostgreSQL reads; the others are made first."""
    return [name for name in FORMATS if name != "xlsx"]


@pytest.mark.parametrize("keep", ["keep-alive", "close"])
@pytest.mark.parametrize("name", streamed())
def test_the_connection_breaks_when_postgresql_ends_the_query(
    site: Site, name: str, keep: str
) -> None:
    request = raw_http.head("GET", f"{FLIGHTS}?format={name}", f"Connection: {keep}")
    with closing(raw_http.connect(site)) as client:
        client.sendall(request)
        begin = client.recv(1_000)
        assert raw_http.status(begin) == 200
        assert end_exports() > 0
        with pytest.raises(ConnectionResetError):
            raw_http.rest(client)


def test_an_http_1_0_client_sees_the_broken_connection(site: Site) -> None:
    """Its file ends where the connection does."""
    with closing(raw_http.connect(site)) as client:
        client.sendall(f"GET {FLIGHTS}?format=csv HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        assert raw_http.status(client.recv(1_000)) == 200
        assert end_exports() > 0
        with pytest.raises(ConnectionResetError):
            raw_http.rest(client)


@pytest.mark.parametrize("name", streamed())
def test_curl_reports_an_incomplete_file(site: Site, name: str, tmp_path: Path) -> None:
    assert curl(site, name, tmp_path) in (PARTIAL, RESET)


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_the_connection_also_breaks_through_nginx(site: Site, name: str, tmp_path: Path) -> None:
    with in_front_of(site) as front:
        assert curl(front, name, tmp_path) in (PARTIAL, RESET)


def curl(site: Site, name: str, folder: Path) -> int:
    """Return curl's exit code of a slow download, whose export PostgreSQL ends."""
    file = folder / "file"
    command = ["curl", "--silent", "--limit-rate", "1M", "--output", str(file)]
    with subprocess.Popen([*command, f"{site.url}{FLIGHTS}?format={name}"]) as process:
        until(lambda: file.exists() and file.stat().st_size > 0)
        assert end_exports() > 0
        return process.wait(60)


def test_other_connections_of_the_same_server_stay_open(site: Site) -> None:
    """Only the connection of the broken file ends."""
    with closing(raw_http.connect(site)) as other, closing(raw_http.connect(site)) as client:
        client.sendall(raw_http.head("GET", f"{FLIGHTS}?format=csv"))
        client.recv(1_000)
        assert end_exports() > 0
        with pytest.raises(ConnectionResetError):
            raw_http.rest(client)
        other.sendall(raw_http.head("GET", "/healthz", "Connection: close"))
        assert raw_http.status(raw_http.rest(other)) == 200


def test_a_complete_file_ends_without_an_error(site: Site) -> None:
    for name in streamed():
        response = site.get(f"{FLIGHTS}?format={name}&limit=90000")
        assert response.status == 200
