"""Compare large responses with psql writing the same rows to /dev/null; measure memory."""

import http.client
import itertools
import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks import report
from benchmarks.target import Target
from tests import processes

TABLE = "flight_delay_data"
COLUMNS = (
    "Flight_Date,Airline_Name,Origin_City,Destination_City"
    ",Departure_Delay_Minutes,Arrival_Delay_Minutes"
)
RUNS = 5
FIRST = 16  # requests that are not measured: each thread of the servers opens a connection
LIMIT = 10_000  # rows, the most that a JSON response can have


class Download(NamedTuple):
    seconds: float
    first: float  # seconds until the first byte
    size: int  # bytes


def run(target: Target, _: float) -> list[str]:
    numbers = itertools.count()  # a new offset for each request, so that none is cached
    json = f"/api/{TABLE}/?columns={COLUMNS}&limit={LIMIT}&offset="
    csv = f"/api/{TABLE}/?columns={COLUMNS}&format=csv"
    select = f"SELECT {_quoted(COLUMNS)} FROM {target.relation(TABLE)} ORDER BY id"
    page = f"COPY (SELECT row_to_json(r) FROM ({select} LIMIT {LIMIT}) AS r) TO STDOUT"
    whole = f"COPY ({select}) TO STDOUT (FORMAT csv)"
    lines = [
        _line(target, f"{LIMIT:,} rows as JSON", lambda: f"{json}{next(numbers)}", page),
        _line(target, "all rows as CSV", lambda: csv, whole),
    ]
    head = ["", "size", "took", "first byte", "`psql`", "of its rate", "memory before", "at most"]
    return report.table(head, lines)


def _line(target: Target, name: str, path: Callable[[], str], copy: str) -> list[str]:
    """Return the table's line: medians, and the memory of the web process that uses most."""
    pids = processes.children(target.pid)
    for _ in range(FIRST):
        _get(target, path())
    for pid in pids:
        processes.forget_peak(pid)
    before = max(map(processes.resident, pids))
    downloads = [_get(target, path()) for _ in range(RUNS)]
    most = max(map(processes.peak, pids))
    seconds = statistics.median(download.seconds for download in downloads)
    theirs = statistics.median(_psql(target, copy) for _ in range(RUNS))
    return [
        *(name, f"{downloads[0].size / 1e6:.1f} MB", f"{1000 * seconds:.0f} ms"),
        f"{1000 * statistics.median(download.first for download in downloads):.0f} ms",
        *(f"{1000 * theirs:.0f} ms", f"{theirs / seconds:.0%}"),
        *(f"{before:.0f} MB", f"{most:.0f} MB"),
    ]


def _get(target: Target, path: str) -> Download:
    started_at = time.perf_counter()
    connection = http.client.HTTPConnection(urlsplit(target.site.url).netloc)
    connection.request("GET", path, headers=target.headers)
    response = connection.getresponse()
    assert response.status == 200, response.read()
    sizes = list(_chunks(response, started_at))
    connection.close()
    seconds = time.perf_counter() - started_at
    return Download(seconds, sizes[0][1], sum(size for size, _ in sizes))


def _chunks(response: http.client.HTTPResponse, started_at: float) -> Iterator[tuple[int, float]]:
    """Yield the bytes of each chunk and the seconds until it arrived."""
    while chunk := response.read1(1 << 16):
        yield len(chunk), time.perf_counter() - started_at


def _psql(target: Target, copy: str) -> float:
    """Seconds by psql's own timing, which excludes starting and connecting."""
    command = ["psql", target.database, "-o", os.devnull, "-c", r"\timing on", "-c", copy]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    (milliseconds,) = re.findall(r"([\d.]+) ms", done.stdout)
    return float(milliseconds) / 1000


def _quoted(columns: str) -> str:
    return ", ".join(f'"{column}"' for column in columns.split(","))
