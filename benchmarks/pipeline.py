"""Measure the commands that bring flights from files to published tables."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import psycopg

from benchmarks import report
from tests.platform import Platform, most_memory
from tests.processes import cpu_seconds_of_ended_children

HEAD = ["flights", "step", "seconds", "flights/s", "CPU s", "memory"]
MONTHS = 4  # of a file with flights
# Seconds of each phase of all transfers of the last run, which were published together.
PHASES = """
SELECT name, CASE name WHEN 'publishing' THEN max(spent::float) ELSE sum(spent::float) END
FROM transfers_transfer, jsonb_each_text(seconds) AS p(name, spent)
WHERE version_id IN (SELECT current_id FROM flights_publishedtable) GROUP BY name
ORDER BY 2 DESC"""
ROWS = """
SELECT rows FROM flights_publishedtable p JOIN flights_tableversion v ON v.id = p.current_id
WHERE p.table = 'flight_delay_data'"""

type Line = list[str]


def files(flights: Path, folder: Path, numbers: Sequence[int]) -> Iterator[Path]:
    """Write a copy of the flights for each number N, with dates moved by N times four months."""
    for number in numbers:
        file = folder / f"flights{number}.parquet"
        date = f"CAST(Flight_Date + INTERVAL {number * MONTHS} MONTH AS DATE) AS Flight_Date"
        rows = f"SELECT * REPLACE ({date}) FROM read_parquet('{flights}')"
        duckdb.connect().execute(f"COPY ({rows}) TO '{file}' (FORMAT parquet)")
        yield file


def published(platform: Platform, *ingest: str) -> tuple[str, list[Line]]:
    """Ingest, build and publish all tables; return the number of flights and a line per step."""
    steps = {
        "ingest": _step(platform, "ingest", *ingest),
        "broker": _step(platform, "broker"),
        # The file can have too few rows for a check that compares them with the version before.
        "transfer of all tables": _step(
            platform, "transfer", "--all", "--despite-checks=benchmark"
        ),
    }
    with psycopg.connect(platform.env["DATABASE_URL"]) as connection:
        ((rows,),) = connection.execute(ROWS).fetchall()
        phases = connection.execute(PHASES).fetchall()
    flights = report.number(rows)
    lines = [_line(flights, name, rows, *step) for name, step in steps.items()]
    return flights, lines + [[flights, f"… {n}", f"{s:.1f}", "", "", ""] for n, s in phases]


def _step(platform: Platform, *command: str) -> tuple[float, float, int]:
    """Run a command; return its seconds, its CPU seconds and its most memory (MB)."""
    before, started_at = cpu_seconds_of_ended_children(os.getpid()), time.monotonic()
    with platform.started(*command) as process:
        memory = most_memory(process)
    assert process.returncode == 0, f"{command} failed"
    seconds, after = time.monotonic() - started_at, cpu_seconds_of_ended_children(os.getpid())
    return seconds, after - before, memory


def _line(flights: str, name: str, rows: int, seconds: float, cpu: float, memory: int) -> Line:
    rate = report.number(rows / seconds)
    return [flights, name, f"{seconds:.1f}", rate, f"{cpu:.1f}", f"{memory:,} MB"]
