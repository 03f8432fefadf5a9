"""Clients read while versions are published: no error, no delay, and never a mix of versions."""

import csv
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from flights.tables import by_name
from tests import expected_tables
from tests.platform import Platform, Site, until
from transfers.load import columns

RECORDS = 6_500  # an export of them outlasts the sockets' buffers
DAYS = "/api/dynamic_query?table_name=delays_by_day"
ROWS = "rows{Day_of_Week Avg_Departure_Delay Avg_Arrival_Delay Total_Flights}"
FIELDS = f"{{a:delays_by_day{{{ROWS}}} b:delays_by_day{{{ROWS}}}}}"
TWICE = f"/api/graphql?{urlencode({'query': FIELDS})}"
EXPORT = "/api/flight_delay_data/?format=csv"


@pytest.mark.parametrize("publishes", [2, pytest.param(50, marks=pytest.mark.deep)])
def test_readers_never_wait_err_or_see_a_mixture_through_publishes(
    fresh: Platform, tmp_path: Path, publishes: int
) -> None:
    fresh.ingest(expected_tables.as_csv(expected_tables.records(1, RECORDS)).rstrip())
    fresh.manage("transfer", "delays_by_day", "flight_delay_data")
    stop = tmp_path / "stop"
    with fresh.site(processes=2) as site, ExitStack() as readers:
        kinds = [("query", DAYS)] * 2 + [("export", EXPORT)] * 2 + [("query", TWICE)]
        processes = [readers.enter_context(_reading(k, site.url + p, stop)) for k, p in kinds]
        publishing = json.loads(fresh.program("tests.publisher", str(publishes), str(RECORDS)))
        until(lambda: {_version(site) for _ in range(10)} == {publishes + 1})
        stop.touch()
        responses = [json.loads(reader.communicate(timeout=60)[0]) for reader in processes]
    assert len(publishing) == publishes
    assert max(seconds for seconds, _ in publishing) < 1
    assert any(exports for _, exports in publishing), "an export was open at a publish"
    queries, exports, twice = responses[0] + responses[1], responses[2] + responses[3], responses[4]
    assert {status for *_, status in queries + exports + twice} == {200}
    # If publishing took a lock, queries would wait until the open exports end.
    assert max(seconds for _, _, seconds, _ in queries + twice) < 1
    assert {_number(version) for version, *_ in queries} == set(range(1, publishes + 2))
    _each_is_of_its_version(queries, _days)
    _each_is_of_its_version(exports, _flights)
    _each_is_of_its_version(twice, _days_twice)


def _version(site: Site) -> int:
    """The version that one of the web processes responds with."""
    return _number(site.get(DAYS).headers["x-airsense-version"])


def _each_is_of_its_version(responses: list[Any], expected: Any) -> None:
    """Check that each body is what plain Python computes from the records of its version."""
    for version in {version for version, *_ in responses}:
        rows = expected_tables.records(_number(version), RECORDS)
        expected_digest = hashlib.sha256(expected(rows)).hexdigest()
        assert {digest for its_version, digest, *_ in responses if its_version == version} == {
            expected_digest
        }, version


def _days(rows: list[expected_tables.Record]) -> bytes:
    return orjson.dumps(expected_tables.delays_by_day(rows))


def _days_twice(rows: list[expected_tables.Record]) -> bytes:
    """Both fields of an operation come from one version."""
    days = {"rows": expected_tables.delays_by_day(rows)}
    return orjson.dumps({"data": {"a": days, "b": days}})


def _flights(rows: list[expected_tables.Record]) -> bytes:
    text = io.StringIO()
    names = columns.schema(by_name("flight_delay_data")).names
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    greatest = 10**9  # a null is the greatest value
    ordered = sorted(rows, key=lambda r: (*r[:4], *(greatest if v is None else v for v in r[4:])))
    for row in ordered:
        day = date.fromisoformat(row[0]).strftime("%A")
        # The records have the first six columns; the others are empty.
        writer.writerow({**dict(zip(names, row, strict=False)), "Day_of_Week": day})
    return text.getvalue().encode()


def _number(version: str) -> int:
    return int(version.rpartition("/")[2])


@contextmanager
def _reading(kind: str, url: str, stop: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tests.reader", kind, url, str(stop)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:
        try:
            yield reader
        finally:
            reader.kill()
