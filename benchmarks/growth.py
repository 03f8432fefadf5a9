"""Rates and times while the table of flights grows to a hundred times, and PostgreSQL's plans.

`make bench-growth FLIGHTS=file.parquet`; without a file the flights are random.
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import duckdb
import psycopg
import pyarrow as pa
from rich.console import Console
from rich.markdown import Markdown

from benchmarks import report, wrk
from benchmarks.target import Target, empty, served
from tests.platform import Platform
from transfers import warehouses
from transfers.ingest.records import REQUIRED

WEEK = 7  # days that a query of a city asks for at most
TABLE, NAMES = "flight_delay_data", ", ".join(REQUIRED)
DELAY = "Departure_Delay_Minutes"
MADE = 2_400_000
WIDTH = 240  # characters of a line of a plan that are shown
RANDOM = (
    "(SELECT DATE '2008-01-01' + CAST(id % 121 AS INTEGER), 'Airline ' || (hash(id) % 20),"
    " 'City ' || (hash(id + 1) % 287), 'City ' || (hash(id + 2) % 287),"
    " CAST(hash(id + 3) % 350 AS INTEGER) - 15, CAST(hash(id + 4) % 350 AS INTEGER) - 15"
    f" FROM range({MADE}) AS r(id)) AS made({NAMES})"
)
CAPTURE = """
import json
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
with CaptureQueriesContext(connections["reader"]) as asked:
    assert Client(SERVER_NAME="127.0.0.1").get({path!r}).status_code == 200
said = [query["sql"] for query in asked.captured_queries]
# Not what finds the version, nor what the gate asks of the planner.
print(json.dumps([sql for sql in said if {relation!r} in sql and not sql.startswith("EXPLAIN")]))
"""
type Paths = dict[str, Callable[[], str]]


def main() -> None:
    options = _options()
    with empty() as platform:
        lines, plans, told = [], list[str](), list[str]()
        for flights in _sizes(platform, options.flights, options.times):
            with served(platform) as target:
                asked = _queries(target)
                lines += [[flights, *line] for line in _lanes(target, asked, options.seconds)]
                plans = [part for name in asked for part in _plan(target, name, asked[name]())]
                told = report.circumstances(target, "make bench-growth", options.seconds)
    head = ["flights", "lane", "requests/s", "p99", "refused"]
    found = [*report.table(head, lines), "", *plans, *told]
    Console().print(Markdown("\n".join(found)))
    report.write("growth", found)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make bench-growth", description=__doc__)
    parser.add_argument("--flights", type=Path, help="a Parquet file")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each lane")
    parser.add_argument("--times", type=int, default=10, help="the file's rows in the last size")
    return parser.parse_args()


def _sizes(platform: Platform, flights: Path | None, times: int) -> Iterator[str]:
    """Publishes a table after the other, each larger; their numbers of rows."""
    platform.manage("ingest", "--demo")
    platform.manage("broker")
    yield _published(platform)
    source = f"read_parquet('{flights.resolve()}')" if flights else RANDOM
    rows = f"SELECT {NAMES} FROM {source}"
    warehouse = warehouses.connect(platform.env["WAREHOUSE_URL"])
    for repeats in (range(1), range(1, times)):
        with warehouse.change() as change:
            if 0 in repeats:
                change.drop(TABLE)
            for repeat in repeats:
                read: pa.RecordBatchReader = duckdb.connect().sql(rows).to_arrow_reader(100_000)
                change.append(TABLE, read.schema, read, f"flights{repeat}")
        yield _published(platform)


def _published(platform: Platform) -> str:
    with platform.started("transfer", "--all") as process:
        assert process.wait() == 0, "the transfer failed"
    with psycopg.connect(platform.env["DATABASE_URL"]) as connection:
        sql = "SELECT max(rows) FROM flights_tableversion WHERE published_at IS NOT NULL"
        rows = connection.execute(sql).fetchone()
    assert rows
    return report.number(rows[0])


def _queries(target: Target) -> Paths:
    """Each call makes another query, which an index serves."""
    cities, airlines, days = (
        sorted(row[column] for row in _rows(target, f"group_by={column}&columns={column}"))
        for column in ("Origin_City", "Airline_Name", "Flight_Date")
    )

    def city_and_days() -> str:
        first = random.randrange(len(days) - WEEK)
        last = first + random.randrange(WEEK)
        return _path(
            Origin_City=random.choice(cities),
            Flight_Date__gte=days[first],
            Flight_Date__lte=days[last],
        )

    def airline_and_day() -> str:
        return _path(Airline_Name=random.choice(airlines), Flight_Date=random.choice(days))

    def up_to_one() -> str:
        return _path(**{f"{DELAY}__lte": str(random.randint(60, 300)), "order_by": f"-{DELAY}"})

    def from_one_on() -> str:
        return _path(**{f"{DELAY}__gte": str(random.randint(60, 300)), "order_by": DELAY})

    def search() -> str:
        words = f"{random.choice(cities).split(',')[0]} {random.choice(airlines)}"
        return f"/api/search?{urlencode({'q': words, 'limit': random.randint(5, 100)})}"

    return {
        "a city and days": city_and_days,
        "an airline and a day": airline_and_day,
        "the longest delays up to one": up_to_one,
        "the shortest delays from one on": from_one_on,
        "search": search,
    }


def _rows(target: Target, query: str) -> list[dict[str, str]]:
    answer = target.get(f"/api/{TABLE}/?{query}")
    assert answer.status == 200, answer.body
    return list(answer.json()["results"])


def _path(**filters: str) -> str:
    """Some of the columns, so that few have been asked before."""
    chosen = random.sample(list(REQUIRED), random.randint(2, len(REQUIRED)))
    columns = ",".join(column for column in REQUIRED if column in chosen)
    asked = {"columns": columns, "limit": str(random.randint(5, 15)), **filters}
    return f"/api/{TABLE}/?{urlencode(asked, quote_via=quote)}"


def _lanes(target: Target, asked: Paths, seconds: float) -> Iterator[list[str]]:
    for name, query in asked.items():
        cold = list({query() for _ in range(10_000)})
        yield _lane(target, f"cold: {name}", cold, seconds)
    few = [asked["a city and days"]() for _ in range(200)]
    _lane(target, "", few, 1)  # each process answers each once
    yield _lane(target, "warm: a city and days, 200 queries", few, seconds)


def _lane(target: Target, name: str, paths: list[str], seconds: float) -> list[str]:
    rate = wrk.overloaded(target.site.url, paths, seconds, target.headers)
    return [name, report.number(rate.a_second), rate.p99, f"{rate.refused:.1%}"]


def _plan(target: Target, name: str, path: str) -> list[str]:
    """What PostgreSQL does for the longest of the statements that answer a query."""
    asked = json.loads(target.platform.python(CAPTURE.format(path=path, relation=f"{TABLE}__v")))
    with psycopg.connect(target.database) as connection:
        plans = {sql: _explained(connection, sql) for sql in asked}
    sql, plan = max(plans.items(), key=lambda item: _took(item[1]))
    what = f"{name}, one of {len(plans)} statements"
    shown = [line[:WIDTH] for line in (sql, "", *plan)]
    told = [f"<details><summary>{what}</summary>", "", "```", *shown, "```"]
    return [*told, "", "</details>", ""]


def _explained(connection: "psycopg.Connection[tuple[str]]", sql: str) -> list[str]:
    rows = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}".encode()).fetchall()
    return [line for (line,) in rows]


def _took(plan: list[str]) -> float:
    """Milliseconds, by its last line."""
    return float(plan[-1].split()[-2])


if __name__ == "__main__":
    main()
