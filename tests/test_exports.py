"""Export files: every format holds the same rows, and incomplete files are recognizable."""

import base64
import csv
import gzip
import hashlib
import http.client
import io
import json
import threading
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import date
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from flights.errors import BadQuery
from flights.exports import excel
from flights.mirror import Field
from flights.models.mirrored import FlightDelayData
from tests.platform import Platform, Response, Site, until

FLIGHTS = "/api/flight_delay_data/"
NEWARK = f"Origin_City={quote('Newark, NJ')}&Destination_City={quote('Phoenix, AZ')}"


def from_csv(body: bytes) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


def from_sheet(body: bytes) -> list[dict[str, Any]]:
    sheet = load_workbook(io.BytesIO(body), read_only=True).worksheets[0]
    names, *rows = sheet.iter_rows(values_only=True)
    # openpyxl leaves `_x000D_` as Excel spells it.
    texts = [[unescape(v) if isinstance(v, str) else v for v in row] for row in rows]
    return [dict(zip(map(str, names), row, strict=True)) for row in texts]


READ: dict[str, Callable[[bytes], list[dict[str, Any]]]] = {
    "csv": from_csv,
    "ndjson": lambda body: [json.loads(line) for line in body.decode().splitlines()],
    "arrow": lambda body: pa.ipc.open_stream(body).read_all().to_pylist(),
    "parquet": lambda body: pq.read_table(io.BytesIO(body)).to_pylist(),
    "xlsx": from_sheet,
}


def text(value: Any) -> str:
    """A value as text: formats give it different types."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    return "" if value is None else str(value)


def export(site: Site, format_: str, query: str, **headers: str) -> Response:
    response = site.get(f"{FLIGHTS}?format={format_}&{query}", **headers)
    assert response.status == 200, response.body
    return response


@pytest.mark.parametrize("format_", READ)
def test_a_file_holds_the_rows_of_its_query(site: Site, format_: str) -> None:
    query = f"{NEWARK}&order_by=-Arrival_Delay_Minutes,Flight_Date"
    rows = site.get(f"{FLIGHTS}?{query}&limit=10000").json()["results"]
    response = export(site, format_, query)
    result = READ[format_](response.body)
    assert [list(map(text, row.values())) for row in result] == [
        list(map(text, row.values())) for row in rows
    ]
    assert list(result[0]) == list(rows[0])
    assert response.headers["x-airsense-rows"] == str(len(rows))
    assert response.headers["x-airsense-limit"] == "none"
    name = f'filename="flight_delay_data__v1.{format_}"'
    assert name in response.headers["content-disposition"]


@pytest.mark.parametrize("format_", READ)
def test_groups_and_pages_are_files_too(site: Site, format_: str) -> None:
    query = "group_by=Airline_Name&aggregate=count,avg:Arrival_Delay_Minutes&order_by=-count"
    expected = site.get(f"{FLIGHTS}?{query}&limit=5&offset=2").json()["results"]
    response = export(site, format_, f"{query}&limit=5&offset=2")
    rows = READ[format_](response.body)
    assert [row["Airline_Name"] for row in rows] == [row["Airline_Name"] for row in expected]
    assert [int(row["count"]) for row in rows] == [row["count"] for row in expected]
    assert (response.headers["x-airsense-rows"], response.headers["x-airsense-limit"]) == ("5", "5")


@pytest.mark.parametrize("format_", ["ndjson", "arrow", "parquet", "xlsx"])
def test_rows_of_one_empty_value_are_in_the_file(site: Site, format_: str) -> None:
    query = "columns=Arrival_Delay_Minutes&Departure_Delay_Minutes__isnull=true&limit=20"
    response = export(site, format_, query)
    assert READ[format_](response.body) == [{"Arrival_Delay_Minutes": None}] * 20
    assert response.headers["x-airsense-rows"] == "20"


@pytest.mark.parametrize("format_", READ)
def test_a_query_without_rows_is_a_whole_file(site: Site, format_: str) -> None:
    for query in (
        "Airline_Name=none",
        "Airline_Name__in=",
        f"Arrival_Delay_Minutes={10**30}",
        "limit=0",
    ):
        response = export(site, format_, query)
        assert READ[format_](response.body) == []
        assert response.headers["x-airsense-rows"] == "0"


def test_a_file_has_all_rows_of_a_table_without_the_limit_of_a_page(site: Site) -> None:
    response = export(site, "ndjson", "columns=Flight_Date,Airline_Name")
    assert response.body.count(b"\n") == int(response.headers["x-airsense-rows"]) == 336_776
    assert export(site, "csv", "limit=20000").body.count(b"\n") == 20_001


def test_a_file_is_compressed_as_the_client_accepts(site: Site) -> None:
    plain = export(site, "csv", NEWARK)
    packed = export(site, "csv", NEWARK, Accept_Encoding="gzip, deflate")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    best = export(site, "csv", NEWARK, Accept_Encoding="gzip;q=0.9, zstd")
    assert best.headers["content-encoding"] == "zstd"
    with pa.CompressedInputStream(pa.BufferReader(best.body), "zstd") as unpacked:
        assert unpacked.read() == plain.body
    assert len({response.headers["etag"] for response in (plain, packed, best)}) == 3
    refused = export(site, "csv", NEWARK, Accept_Encoding="gzip;q=0, identity")
    assert "content-encoding" not in refused.headers
    assert "content-encoding" not in export(site, "parquet", NEWARK, Accept_Encoding="zstd").headers


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_a_digest_is_sent_on_request(site: Site, encoding: str) -> None:
    response = export(site, "csv", NEWARK, Want_Repr_Digest="sha-256=1", Accept_Encoding=encoding)
    digest = base64.b64encode(hashlib.sha256(response.body).digest()).decode()
    assert response.headers["repr-digest"] == f"sha-256=:{digest}:"


def test_an_accept_header_chooses_the_format(site: Site) -> None:
    response = site.get(f"{FLIGHTS}?limit=3", Accept="application/vnd.apache.arrow.stream")
    assert len(READ["arrow"](response.body)) == 3
    wrong = site.get(f"{FLIGHTS}?format=parquet&Nope=1")
    assert wrong.status == 400
    assert "Airline_Name" in wrong.json()["allowed"]


def test_a_text_that_a_spreadsheet_would_compute_is_harmless(fresh: Platform) -> None:
    bad = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "fine", '=cmd|"/c calc"!A1']
    bad += ["\uff1d1", "\ufeff=1", "\u200b=1", "\xa0 @A1", " \t\u2060\uff0b1"]
    quoted = ['"' + text.replace('"', '""') + '"' for text in bad]
    fresh.ingest("2013-01-01,fine,A,B,-5,-6")
    fresh.manage("transfer", "flight_delay_data")
    fresh.ingest("\n".join(f"2013-01-01,{text},A,B,-5,-6" for text in quoted))
    with fresh.site(processes=1) as site:
        assert READ["csv"](export(site, "csv", "").body)[0]["Airline_Name"] == "fine"
        fresh.manage("transfer", "flight_delay_data")
        until(lambda: len(site.get(FLIGHTS).json()["results"]) == len(bad))
        rows = site.get(f"{FLIGHTS}?columns=Airline_Name").json()["results"]
        names = [row["Airline_Name"] for row in rows]
        for format_ in ("csv", "xlsx"):
            result = READ[format_](export(site, format_, "").body)
            assert [row["Airline_Name"] for row in result] == [
                name if name == "fine" else f"'{name}" for name in names
            ]
            assert {int(row["Arrival_Delay_Minutes"]) for row in result} == {-6}
        for format_ in ("ndjson", "parquet", "arrow"):
            result = READ[format_](export(site, format_, "").body)
            assert [row["Airline_Name"] for row in result] == names


def test_exports_beyond_the_slots_are_refused_with_retry_after(demo: Platform) -> None:
    with demo.site(processes=1) as site, ThreadPoolExecutor(8) as clients:
        together = threading.Barrier(8)

        def ask(_: int) -> Response:
            together.wait()
            return site.get(f"{FLIGHTS}?format=csv")

        responses = list(clients.map(ask, range(8)))
        assert {response.status for response in responses} == {200, 503}
        assert all(a.headers["retry-after"] == "5" for a in responses if a.status == 503)
        assert len({response.body for response in responses if response.status == 200}) == 1
        assert site.get(f"{FLIGHTS}?format=csv").status == 200


def test_many_small_files_queue_and_all_succeed(site: Site) -> None:
    with ThreadPoolExecutor(24) as clients:
        paths = [f"{FLIGHTS}?format=csv&limit={limit}" for limit in range(1, 100)]
        assert {response.status for response in clients.map(site.get, paths)} == {200}


def test_a_file_that_postgresql_did_not_end_breaks_off(site: Site) -> None:
    with urllib.request.urlopen(f"{site.url}{FLIGHTS}?format=ndjson", timeout=30) as response:
        response.read(1000)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%'"
                " AND datname = current_database()"
            )
        with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
            response.read()


def test_a_text_that_no_cell_can_hold_is_refused() -> None:
    fields: list[Field] = [FlightDelayData._meta.get_field("airline_name")]
    for text, fits in (("a" * 32_767, True), ("\U0001f600" * 16_384, False), ("a" * 32_768, False)):
        with nullcontext() if fits else pytest.raises(BadQuery, match=r"32,768 characters"):
            assert b"".join(excel.xlsx(iter([text.encode()]), fields))


@pytest.mark.parametrize("group", ["", "&group_by=Day_of_Week"])
def test_a_limit_of_zero_gives_a_file_without_rows(site: Site, group: str) -> None:
    response = site.get(f"/api/delays_by_day/?aggregate=count{group}&limit=0&format=csv")
    assert (response.status, response.headers["x-airsense-rows"]) == (200, "0")
    assert from_csv(response.body) == []
