"""Clients that disconnect during large exports free PostgreSQL and the slots at once."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connections
from django.test import Client

from flights.exports import FORMATS
from flights.exports.copy_out import Stopped
from flights.web.disconnect import GONE
from tests import query_slots
from tests.exporting import slowly
from tests.platform import Platform, Site, until

FLIGHTS = "/api/flight_delay_data/"
WITHIN = 2.0  # seconds: AirSense promises one, a busy machine adds some
FILTER = "Arrival_Delay_Minutes__gte=-1000"  # keeps all rows, but PostgreSQL has to count them
SORT = "order_by=-Arrival_Delay_Minutes,Destination_City,Airline_Name"  # no index has it
# What AirSense does when the client leaves: its query, headers, and the beginning of its SQL.
STAGES = {
    **{f"{name} is written": (f"format={name}", {}, "COPY (SELECT ") for name in FORMATS},
    "gzip is written": ("format=csv", {"Accept-Encoding": "gzip"}, "COPY (SELECT "),
    "zstd is written": ("format=csv", {"Accept-Encoding": "zstd"}, "COPY (SELECT "),
    "a digest is computed": ("format=csv", {"Want-Repr-Digest": "sha-256=1"}, "COPY (SELECT "),
    "rows are counted": (f"format=csv&{FILTER}", {}, "COPY (SELECT count(*)"),
    "rows are sorted": (f"format=csv&{SORT}", {}, "COPY (SELECT "),
    "rows of a sheet are sorted": (f"format=xlsx&{SORT}", {}, "COPY (SELECT "),
}
OFTEN = {"csv is written", "xlsx is written", "gzip is written", "rows are sorted"}
type Stage = tuple[str, dict[str, str], str]


@pytest.fixture(scope="module")
def slow(demo: Platform) -> Iterator[Platform]:
    """The demo's flights, which PostgreSQL takes two minutes to read."""
    own = Platform({"DATABASE_URL": os.environ["DATABASE_URL"]})
    with slowly(own):
        yield own


@pytest.fixture(scope="module")
def site(slow: Platform) -> Iterator[Site]:
    with slow.site(processes=1) as site:
        yield site


def running(sql: str = "COPY (") -> int:
    """Count the statements of this kind that PostgreSQL runs."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
        " AND starts_with(query, %s) AND datname = current_database()"
    )
    return count(query, sql)


def count(query: str, value: Any) -> int:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        row = connection.execute(query, [value]).fetchone()
        assert row
        return int(row[0])


def fetch(query: str, headers: dict[str, str], gone: threading.Event) -> None:
    """Read a whole file from Django as the web server does."""
    environ: Any = {GONE: gone}
    try:
        response = Client(**environ).get(f"{FLIGHTS}?{query}", headers=headers)
        try:
            for _ in response:
                pass
        finally:
            response.close()
    finally:
        connections.close_all()


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_an_export_ends_when_its_client_has_gone(slow: Platform, stage: Stage) -> None:
    query, headers, sql = stage
    gone = threading.Event()
    with ThreadPoolExecutor(1) as server:
        response = server.submit(fetch, query, headers, gone)
        try:
            until(lambda: running(sql) or response.done())
        finally:
            gone.set()
        began = time.monotonic()
        error = response.exception(20)
        assert time.monotonic() - began < WITHIN
        assert error is None or isinstance(error, Stopped)
    assert (running(), query_slots.taken()) == (0, 0)


@pytest.mark.parametrize(
    "stage",
    [s if n in OFTEN else pytest.param(s, marks=pytest.mark.deep) for n, s in STAGES.items()],
    ids=STAGES,
)
def test_a_client_that_disconnects_frees_its_slot_and_its_place(site: Site, stage: Stage) -> None:
    query, headers, sql = stage
    host, port = urlsplit(site.url).hostname, urlsplit(site.url).port
    assert host
    assert port
    lines = [f"GET {FLIGHTS}?{query} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    for _ in range(3):  # more than the web process has places
        with socket.create_connection((host, port)) as client:
            client.sendall("\r\n".join([*lines, "", ""]).encode())
            until(lambda: running(sql))
        until(lambda: not running() and not query_slots.taken(), seconds=WITHIN)
    assert site.get(f"{FLIGHTS}?format=csv&limit=5").status == 200
