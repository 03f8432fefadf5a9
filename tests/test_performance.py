"""The performance tables equal an independent computation, and the DOT's published figures."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import national_data, punctuality
from tests.platform import Platform
from tests.punctuality import Row
from transfers import broker
from transfers.ingest.raw_columns import COLUMNS
from transfers.ingest.raw_table import RAW, ingest
from transfers.warehouses import connect

DEMO_ROWS = {
    "performance_by_month": 185,
    "performance_by_date": 365,
    "performance_by_airport": 108,
    "performance_by_hour": 57,
    "performance_by_route": 439,
    "performance_by_flight": 12_075,
}
OUTCOMES = ("On_Time_Arrivals", "Late_Arrivals", "Cancelled_Flights", "Diverted_Flights")
NATIONAL_ROWS = {
    "performance_by_month": 78,
    "performance_by_date": 121,
    "performance_by_airport": 584,
    "performance_by_hour": 3_460,
    "performance_by_route": 7_650,
    "performance_by_flight": 57_610,
}
SCHEMA = pa.schema(COLUMNS.items())
# Months from the rows of their airlines; the counts are thousands of flights.
PUBLISHED = """
SELECT month(Month), round(100 * sum(On_Time_Arrivals) / sum(Scheduled_Flights), 1),
    round(100 * sum(Cancelled_Flights) / sum(Scheduled_Flights), 1),
    round(sum(Scheduled_Flights) / 1000)
FROM performance_by_month WHERE Month > '2008-01-01' GROUP BY Month ORDER BY Month"""
AIRLINES = ("HA", "AA", "UA", "YV")
WEIGHTED = "sum({0} * Scheduled_Flights) / sum(Scheduled_Flights) AS {0}"
CAUSES_OF_APRIL = f"""
SELECT {", ".join(WEIGHTED.format(cause) for cause in punctuality.CAUSES)}
FROM performance_by_month WHERE Month = '2008-04-01'"""
each_table = pytest.mark.parametrize("table", punctuality.TABLES)

# Few values, so that random flights form groups; the delays are around the limits.
MINUTES = st.none() | st.sampled_from([-3, 0, 14, 15, 16, 30, 59, 60, 200])
CAUSE = st.none() | st.sampled_from([0, 0, 1, 7, 15])
FLAG = st.sampled_from([None, None, True, False])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "Flight_Date": st.sampled_from([date(2003, 5, 31), date(2003, 6, 1), date(2003, 6, 30)]),
    "Airline_Name": st.sampled_from(["Old Name", "New Name"]),
    "Origin_City": st.sampled_from(["A", "B"]),
    "Destination_City": st.sampled_from(["A", "B"]),
    "Departure_Delay_Minutes": MINUTES,
    "Arrival_Delay_Minutes": MINUTES,
    "Airline_Code": st.sampled_from([None, "UA", "AA"]),
    "Flight_Number": st.sampled_from([None, "1", "001"]),
    "Origin": st.sampled_from([None, "X", "Y"]),
    "Destination": st.sampled_from([None, "X", "Y"]),
    "Scheduled_Departure": st.sampled_from([None, "00:00", "09:59", "23:10"]),
    "Cancelled": FLAG,
    "Diverted": FLAG,
    "Scheduled_Minutes": st.sampled_from([None, 60, 61]),
    "Elapsed_Minutes": st.sampled_from([None, 55, 90]),
    "Has_Arrivals": st.sampled_from([True] * 9 + [False]),
    **dict.fromkeys(punctuality.CAUSES.values(), CAUSE),
}
FLIGHTS = st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=60)


@pytest.fixture(scope="module")
def flown(demo: Platform) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of the demo data."""
    with duckdb.connect(f"{demo.warehouse}/warehouse.duckdb", read_only=True) as database:
        yield database


@pytest.fixture(scope="module")
def national(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse of all domestic flights of January to April 2008."""
    folder = tmp_path_factory.mktemp("national")
    warehouse = connect(f"duckdb://{folder}")
    ingest(warehouse, [national_data.FILE])
    broker.build(warehouse)
    with duckdb.connect(f"{folder}/warehouse.duckdb", read_only=True) as database:
        yield database


def built(database: duckdb.DuckDBPyConnection, table: str) -> list[Row]:
    rows: list[Row] = database.sql(f"FROM {table}").to_arrow_table().to_pylist()
    return rows


def by_key(rows: list[Row], table: str) -> dict[tuple[Any, ...], Row]:
    keys = punctuality.TABLES[table][0]
    result = {tuple(row[key] for key in keys): row for row in rows}
    assert len(result) == len(rows), "two rows have the same key"
    return result


@cache
def statement(table: str) -> str:
    return sqlglot.parse_one(broker.sql(table), read="databricks").sql("duckdb")


def tables(flights: list[Row]) -> dict[str, list[Row]]:
    """The performance tables of flights, and those of the independent computation."""
    records = pa.Table.from_pylist([dict.fromkeys(COLUMNS) | flight for flight in flights], SCHEMA)
    with duckdb.connect() as database:
        database.register("records", records)
        database.execute(f"CREATE TABLE {RAW} AS FROM records")
        for table in punctuality.TABLES:
            database.execute(statement(table))
            expected = by_key(punctuality.rows(database, table), table)
            assert by_key(built(database, table), table) == expected, table
        return {table: built(database, table) for table in punctuality.TABLES}


def scheduled(rows: list[Row]) -> int:
    return sum(row["Scheduled_Flights"] for row in rows)


@each_table
def test_the_demo_tables_equal_an_independent_computation(
    flown: duckdb.DuckDBPyConnection, table: str
) -> None:
    rows = built(flown, table)
    assert len(rows) == DEMO_ROWS[table]
    assert by_key(rows, table) == by_key(punctuality.rows(flown, table), table)


@pytest.mark.deep
@pytest.mark.timeout(600)
@national_data.needed
@each_table
def test_the_national_tables_equal_an_independent_computation(
    national: duckdb.DuckDBPyConnection, table: str
) -> None:
    rows = built(national, table)
    assert len(rows) == NATIONAL_ROWS[table]
    assert by_key(rows, table) == by_key(punctuality.rows(national, table), table)


@pytest.mark.deep
@pytest.mark.timeout(600)
@national_data.needed
def test_the_tables_give_the_figures_that_the_dot_published(
    national: duckdb.DuckDBPyConnection,
) -> None:
    """In the Air Travel Consumer Reports of April and May 2008 and of February 2009."""
    rows = national.sql(PUBLISHED).fetchall()
    assert rows == [(2, 68.6, 3.6, 569), (3, 71.6, 2.6, 616), (4, 77.7, 1.7, 598)]
    april = f"FROM performance_by_month WHERE Month = '2008-04-01' AND Airline_Code IN {AIRLINES}"
    by_airline = national.sql(f"SELECT Airline_Code, On_Time_Percent {april}").fetchall()
    on_time = {code: round(percent, 1) for code, percent in by_airline}
    assert on_time == {"HA": 90.5, "AA": 65.3, "UA": 72.8, "YV": 73.2}
    (causes,) = national.sql(CAUSES_OF_APRIL).to_arrow_table().to_pylist()
    published = {
        "National_Aviation_System_Percent": 7.70,
        "Late_Aircraft_Percent": 6.51,
        "Air_Carrier_Percent": 5.63,
        "Extreme_Weather_Percent": 0.55,
        "Security_Percent": 0.04,
    }
    assert causes == pytest.approx(published, abs=0.01)  # the airlines' figures are rounded


@settings(max_examples=8, deadline=None)
@given(FLIGHTS)
def test_tables_of_random_flights_equal_the_computation_and_agree_with_each_other(
    flights: list[Row],
) -> None:
    result = tables(flights)
    for row in (row for rows in result.values() for row in rows):
        counts = [row[outcome] for outcome in OUTCOMES]
        assert counts == [None] * 4 or sum(counts) == row["Scheduled_Flights"]
    assert scheduled(result["performance_by_date"]) == len(flights)
    for table in ("performance_by_month", "performance_by_route"):
        keys = punctuality.TABLES[table][0].keys() - {"Month"}
        left_out = sum(None in [flight[key] for key in keys] for flight in flights)
        assert scheduled(result[table]) + left_out == len(flights)
