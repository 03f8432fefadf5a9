"""Measure how 0.3, 2.4 and 24 million flights are published and queried; show the query plans.

`make bench-growth FLIGHTS=file.parquet`; without a file the flights are random.
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from rich.console import Console
from rich.markdown import Markdown

from benchmarks import flight_records, pipeline, report, wrk
from benchmarks.target import Target, empty, running_target
from tests.platform import Platform
from transfers.ingest.raw_columns import REQUIRED

WEEK = 7  # most days in a query of a city
TABLE = "flight_delay_data"
DELAY = "Departure_Delay_Minutes"
WIDTH = 240  # characters; longer lines of a plan are cut
CAPTURE = r"""
import json, logging, re
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from psycopg.sql import Literal
statements = []
class Statements(logging.Handler):
    def emit(self, record):  # EXPLAIN needs the values of prepared statements
        value = lambda match: Literal(record.params[int(match[1]) - 1]).as_string()
        statements.append(re.sub(r"\$(\d+)", value, record.sql))
log = logging.getLogger("django.db.backends")
log.setLevel(logging.DEBUG)
log.propagate = False
log.addHandler(Statements())
with CaptureQueriesContext(connections["reader"]):
    assert Client(SERVER_NAME="127.0.0.1").get({path!r}).status_code == 200
# Without the look-up of the version and without the planner's estimate (flights/query/cost.py).
data = [sql for sql in statements if {relation!r} in sql and not sql.startswith("EXPLAIN")]
print(json.dumps(data))
"""
type Paths = dict[str, Callable[[], str]]


def main() -> None:
    options = _options()
    with empty() as platform:
        steps, rows, plans, environment = list[list[str]](), [], list[str](), list[str]()
        for flights, lines in _sizes(platform, options.flights, options.times):
            steps += lines
            _show(report.table(pipeline.HEAD, lines))
            with running_target(platform) as target:
                paths = _queries(target)
                rows += [[flights, *row] for row in _lanes(target, paths, options.seconds)]
                plans = [line for name in paths for line in _plan(target, name, paths[name]())]
                environment = report.environment(target, "make bench-growth", options.seconds)
    head = ["flights", "lane", "requests/s", "p99", "refused"]
    _write("pipeline", [*report.table(pipeline.HEAD, steps), "", *environment])
    _write("growth", [*report.table(head, rows), "", *plans, *environment])


def _write(section: str, lines: list[str]) -> None:
    _show(lines)
    report.write(section, lines)


def _show(lines: list[str]) -> None:
    Console().print(Markdown("\n".join(lines)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make bench-growth", description=__doc__)
    parser.add_argument("--flights", type=Path, help="a Parquet file")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each lane (default: 5)")
    parser.add_argument(
        "--times", type=int, default=10, help="how many files the largest table has (default: 10)"
    )
    return parser.parse_args()


def _sizes(
    platform: Platform, flights: Path | None, times: int
) -> Iterator[tuple[str, list[list[str]]]]:
    """Publish larger and larger tables; yield the number of flights and a line for each step."""
    yield pipeline.published(platform, "--demo")
    folder = platform.warehouse
    flights = flights or flight_records.random(folder / "random.parquet")
    for numbers, mode in ([0], "--replace"), (range(1, times), "--append"):
        files = [str(file) for file in pipeline.files(flights, folder, numbers)]
        yield pipeline.published(platform, mode, *files)


def _queries(target: Target) -> Paths:
    """Functions that return a new random query at each call. An index serves each."""
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

    def longest_up_to() -> str:
        return _path(**{f"{DELAY}__lte": str(random.randint(60, 300)), "order_by": f"-{DELAY}"})

    def shortest_from() -> str:
        return _path(**{f"{DELAY}__gte": str(random.randint(60, 300)), "order_by": DELAY})

    def search() -> str:
        words = f"{random.choice(cities).split(',')[0]} {random.choice(airlines)}"
        return f"/api/search?{urlencode({'q': words, 'limit': random.randint(5, 100)})}"

    return {
        "a city and days": city_and_days,
        "an airline and a day": airline_and_day,
        "the longest delays up to a limit": longest_up_to,
        "the shortest delays from a limit on": shortest_from,
        "search": search,
    }


def _rows(target: Target, query: str) -> list[dict[str, str]]:
    response = target.get(f"/api/{TABLE}/?{query}")
    assert response.status == 200, response.body
    return list(response.json()["results"])


def _path(**filters: str) -> str:
    """A query of random columns, so that most responses are not cached."""
    chosen = random.sample(list(REQUIRED), random.randint(2, len(REQUIRED)))
    columns = ",".join(column for column in REQUIRED if column in chosen)
    params = {"columns": columns, "limit": str(random.randint(5, 15)), **filters}
    return f"/api/{TABLE}/?{urlencode(params, quote_via=quote)}"


def _lanes(target: Target, paths: Paths, seconds: float) -> Iterator[list[str]]:
    for name, query in paths.items():
        cold = list({query() for _ in range(10_000)})
        yield _lane(target, f"cold: {name}", cold, seconds)
    few = [paths["a city and days"]() for _ in range(200)]
    _lane(target, "", few, 1)  # so that each process caches each query
    yield _lane(target, "warm: a city and days, 200 queries", few, seconds)


def _lane(target: Target, name: str, paths: list[str], seconds: float) -> list[str]:
    rate = wrk.overloaded(target.site.url, paths, seconds, target.headers)
    return [name, report.number(rate.per_second), rate.p99, f"{rate.refused:.1%}"]


def _plan(target: Target, name: str, path: str) -> list[str]:
    """The plan of the slowest statement of a query, as collapsible Markdown."""
    statements = json.loads(
        target.platform.python(CAPTURE.format(path=path, relation=f"{TABLE}__v"))
    )
    with psycopg.connect(target.database) as connection:
        plans = {sql: _explained(connection, sql) for sql in statements}
    sql, plan = max(plans.items(), key=lambda item: _milliseconds(item[1]))
    title = f"{name}, one of {len(plans)} statements"
    text = [line[:WIDTH] for line in (sql, "", *plan)]
    details = [f"<details><summary>{title}</summary>", "", "```", *text, "```"]
    return [*details, "", "</details>", ""]


def _explained(connection: "psycopg.Connection[tuple[str]]", sql: str) -> list[str]:
    rows = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}".encode()).fetchall()
    return [line for (line,) in rows]


def _milliseconds(plan: list[str]) -> float:
    """Execution time, from the last line of a plan."""
    return float(plan[-1].split()[-2])


if __name__ == "__main__":
    main()
