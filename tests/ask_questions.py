"""The questions of tests/data/questions.toml with figures that DuckDB computes from the flights.

A test holds the score over HTTP; `python -m benchmarks.ask` prints it.
"""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from tests.duckdb_macros import MACROS
from transfers import demo

FILE = Path(__file__).with_name("data") / "questions.toml"
QUESTIONS: dict[str, list[Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
FLIGHTS = """
CREATE TABLE flights AS
SELECT "Flight Date" AS day, date_trunc('month', day)::date AS monthday, month(day) AS month,
  dayname(day) AS weekday, "Airline Code" AS code, "Flight Number" AS number,
  "Origin" AS origin, "Origin City" AS origin_city, "Destination" AS destination,
  "Destination City" AS destination_city, split_part("Scheduled Departure", ':', 1)::int AS hour,
  "Departure Delay Minutes" AS departure, "Arrival Delay Minutes" AS arrival,
  "Elapsed Minutes" AS elapsed,
  departure IS NULL AND arrival IS NULL AS cancelled,
  departure IS NOT NULL AND arrival IS NULL AS diverted,
  coalesce(arrival < 15, false) AS on_time
FROM records;
CREATE MACRO average(minutes) AS round(sum(minutes) / count(minutes), 2);
"""

type Row = list[Any]


@dataclass(frozen=True)
class Outcome:
    """What became of a question: right, wrong (other figures) or refused."""

    question: str
    kind: str
    figures: list[Row]
    expected: list[Row]


@contextmanager
def flights() -> Iterator[duckdb.DuckDBPyConnection]:
    """The demo's flights in a database of their own."""
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.register("records", demo.records())
        connection.execute(MACROS + FLIGHTS)
        yield connection


def expected(connection: duckdb.DuckDBPyConnection, question: dict[str, str]) -> list[Row]:
    """The rows that the answer to a question must begin with."""
    rows = connection.execute(question["sql"]).fetchall()
    assert rows, question
    return [[str(v) if isinstance(v, date) else v for v in row] for row in rows]


def outcome(answer: dict[str, Any], question: str, rows: list[Row]) -> Outcome:
    """Compare an answer of the API with the expected rows."""
    if not answer["answered"]:
        return Outcome(question, "refused", [], rows)
    has_label = len(rows[0]) == 3
    figures = [_row(figure, has_label) for figure in answer["figures"][: len(rows)]]
    return Outcome(question, "right" if figures == rows else "wrong", figures, rows)


def _row(figure: dict[str, Any], has_label: bool) -> Row:
    keys = list(figure["keys"].values())
    label = keys[0] if len(keys) == 1 else "-".join(map(str, keys))
    return [*([label] if has_label or keys else []), figure["value"], figure["flights"]]
