"""docs/questions.md: each request answers its question as DuckDB does from the raw flights."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

from airsense.data_folder import PROJECT
from tests.data import FLIGHTS_2008
from tests.duckdb_macros import MACROS
from tests.platform import Site
from tests.platforms import own_platform
from transfers import demo

PAGE = (PROJECT / "docs" / "questions.md").read_text()
CURL = re.compile(r"^    (curl .*)$", re.MULTILINE)
QUESTION = re.compile(r"^## (\d+)\. .*$", re.MULTILINE)

FLIGHTS = """
CREATE TABLE flights AS
SELECT "Flight Date" AS day, date_trunc('month', day)::date AS month, dayname(day) AS weekday,
  "Airline Code" AS code, "Airline Name" AS airline, "Flight Number" AS number,
  "Origin" AS origin, "Destination" AS destination,
  split_part("Scheduled Departure", ':', 1)::int AS hour,
  "Departure Delay Minutes" AS departure, "Arrival Delay Minutes" AS arrival,
  "Scheduled Minutes" AS planned, "Elapsed Minutes" AS needed,
  departure IS NULL AND arrival IS NULL AS cancelled,
  departure IS NOT NULL AND arrival IS NULL AS diverted,
  coalesce(arrival < 15, false) AS on_time
FROM records;
-- In hundredths, half up, in whole numbers.
CREATE MACRO average(minutes) AS
  (200 * sum(minutes) + count(minutes)) // (2 * count(minutes)) / 100;
"""
RECORDS_OF_2008 = """
CREATE TABLE flights_2008 AS
SELECT date_trunc('month', Flight_Date)::date AS month, uniqueCarrier AS code,
  Airline_Name AS airline, origin, crsDepTime // 100 AS hour,
  Departure_Delay_Minutes AS departure, Arrival_Delay_Minutes AS arrival,
  try_cast(carrierDelay AS bigint) AS carrier, try_cast(weatherDelay AS bigint) AS weather,
  try_cast(nasDelay AS bigint) AS nas, try_cast(securityDelay AS bigint) AS security,
  try_cast(lateAircraftDelay AS bigint) AS aircraft,
  carrier + weather + nas + security + aircraft AS causes
FROM records_2008;
CREATE MACRO cause(minutes) AS (
  20000 * coalesce(sum(1000000 * minutes // causes) FILTER (arrival >= 15 AND causes > 0), 0)
  + 1000000 * count(*)
) // (2000000 * count(*)) / 100;
"""
LAX = "origin = 'JFK' AND destination = 'LAX'"
AA_341 = "code = 'AA' AND number = '341' AND origin = 'LGA' AND destination = 'ORD'"
# For each question the answers to its requests, in their order.
ANSWERS = {
    1: [
        "SELECT airline, count(*), percent(on_time), disc(50, arrival), disc(90, arrival)"
        f" FROM flights WHERE {LAX} GROUP BY airline HAVING count(*) >= 100 ORDER BY 3 DESC"
    ],
    2: [
        "SELECT hour, count(*), percent(on_time) FROM flights WHERE origin = 'JFK'"
        " GROUP BY hour HAVING count(*) >= 100 ORDER BY hour",
        "SELECT count(*), percent(on_time) FROM flights WHERE hour < 12",
        "SELECT count(*), percent(on_time) FROM flights WHERE hour >= 12",
    ],
    3: [
        "SELECT weekday, count(*), percent(arrival < 15) FROM flights GROUP BY 1 ORDER BY 3 DESC",
        "SELECT month, count(*), percent(on_time) FROM flights GROUP BY 1 ORDER BY 1",
        "SELECT count(*), percent(on_time) FROM flights WHERE month(day) IN (6, 7, 8)",
        "SELECT day, count(*), percent(on_time), percent(cancelled) FROM flights"
        " GROUP BY 1 ORDER BY 3, 1 LIMIT 5",
    ],
    4: [
        "SELECT count(*), percent(on_time), percent(cancelled), disc(50, arrival),"
        f" disc(90, arrival) FROM flights WHERE {AA_341}",
        f"SELECT day, departure, arrival FROM flights WHERE {AA_341} ORDER BY day DESC LIMIT 5",
    ],
    5: [
        "SELECT airline, count(*), percent(arrival >= 15), percent(arrival >= 30),"
        f" percent(arrival >= 60) FROM flights WHERE {LAX} GROUP BY 1"
        " HAVING count(*) >= 100 ORDER BY 1"
    ],
    6: [
        "SELECT airline, count(*), percent(cancelled), percent(diverted) FROM flights"
        " GROUP BY 1 HAVING count(*) >= 100 ORDER BY 3, 1"
    ],
    7: [
        f"SELECT count(*), percent(arrival <= 30) FROM flights WHERE {AA_341}",
        "SELECT 0, NULL, NULL",  # no flights from Chicago
    ],
    8: [
        "SELECT month, airline, percent(arrival >= 15), NULL, NULL, NULL, NULL, NULL FROM flights"
        " GROUP BY month, airline, code ORDER BY month DESC, code LIMIT 20",
        "SELECT 0, NULL, NULL",  # no causes
    ],
    9: [
        "SELECT airline, count(*), average(CASE WHEN needed IS NOT NULL THEN planned END),"
        " average(needed) FROM flights WHERE origin = 'EWR' AND destination = 'SFO'"
        " GROUP BY 1 HAVING count(*) >= 100 ORDER BY 1"
    ],
    10: [
        "SELECT origin, destination, airline, count(*), percent(on_time) FROM flights"
        " GROUP BY ALL HAVING count(*) >= 1000 ORDER BY 4 DESC LIMIT 5"
    ],
    11: [
        "SELECT month, count(*), percent(on_time), percent(cancelled) FROM flights"
        " WHERE code = 'DL' GROUP BY 1 ORDER BY 1 DESC LIMIT 2",
        "SELECT DATE '2013-01-01', count(*), percent(on_time) FROM flights",
    ],
}


# The answers to the requests that the demo cannot answer, from the flights of 2008.
ANSWERS_OF_2008 = {
    (7, 1): "SELECT count(*), percent(departure >= 15), percent(departure IS NULL)"
    " FROM flights_2008 WHERE code = 'AA' AND origin = 'ORD' AND hour = 18",
    (8, 0): "SELECT month, max(airline), percent(arrival >= 15), cause(carrier), cause(weather),"
    " cause(nas), cause(security), cause(aircraft)"
    " FROM flights_2008 GROUP BY month, code ORDER BY month DESC, code LIMIT 20",
    (8, 1): "SELECT count(aircraft),"
    " round(100 * sum(carrier) FILTER (arrival IS NOT NULL)"
    "  / sum(arrival) FILTER (carrier IS NOT NULL), 2),"
    " round(100 * sum(aircraft) FILTER (arrival IS NOT NULL)"
    "  / sum(arrival) FILTER (aircraft IS NOT NULL), 2)"
    " FROM flights_2008 WHERE arrival >= 15",
}


def questions() -> dict[int, list[str]]:
    """The requests of each question on the page."""
    _, *parts = QUESTION.split(PAGE)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {int(number): CURL.findall(text) for number, text in pairs}


@pytest.fixture(scope="module")
def flights() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.register("records", demo.records())
        connection.execute(MACROS + FLIGHTS)
        connection.register("records_2008", duckdb.read_parquet(str(FLIGHTS_2008)).to_arrow_table())
        connection.execute(RECORDS_OF_2008)
        yield connection


@pytest.fixture(scope="module")
def site_of_2008() -> Iterator[Site]:
    with own_platform() as own:
        own.manage("ingest", str(FLIGHTS_2008))
        own.manage("broker")
        own.manage("transfer", "flight_delay_data", "performance_by_month")
        with own.site(processes=1) as site:
            yield site


def requested(site: Site, line: str) -> list[list[Any]]:
    """The rows of a response."""
    words = shlex.split(line.replace("http://127.0.0.1:8000", site.url))
    done = subprocess.run([*words, "--silent"], capture_output=True, timeout=30, check=True)
    rows = json.loads(done.stdout.splitlines()[-1])["results"]
    return [list(row.values()) for row in rows]


def as_json(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    return [[str(v) if isinstance(v, date) else v for v in row] for row in rows]


def test_the_page_has_eleven_questions_with_requests() -> None:
    assert list(questions()) == list(range(1, 12))
    assert {n: len(lines) for n, lines in questions().items()} == {
        number: len(responses) for number, responses in ANSWERS.items()
    }


@pytest.mark.parametrize(
    ("number", "index"), [(n, i) for n, responses in ANSWERS.items() for i in range(len(responses))]
)
def test_the_demo_answers_as_an_independent_computation_does(
    site: Site, flights: duckdb.DuckDBPyConnection, number: int, index: int
) -> None:
    expected = as_json(flights.execute(ANSWERS[number][index]).fetchall())
    assert expected
    assert requested(site, questions()[number][index]) == expected


@pytest.mark.deep  # it publishes other flights
@pytest.mark.parametrize(("number", "index"), ANSWERS_OF_2008)
def test_national_records_answer_what_the_demo_cannot(
    site_of_2008: Site, flights: duckdb.DuckDBPyConnection, number: int, index: int
) -> None:
    expected = as_json(flights.execute(ANSWERS_OF_2008[number, index]).fetchall())
    assert all(value is not None for row in expected for value in row)
    assert requested(site_of_2008, questions()[number][index]) == expected


def test_the_number_of_routes_is_in_the_header(
    site: Site, flights: duckdb.DuckDBPyConnection
) -> None:
    (line,) = questions()[10]
    path = shlex.split(line)[-1].removeprefix("http://127.0.0.1:8000")
    routes = "SELECT 1 FROM flights GROUP BY origin, destination, airline HAVING count(*) >= 1000"
    number = len(flights.execute(routes).fetchall())
    assert site.get(path).headers["x-airsense-count"] == str(number)
