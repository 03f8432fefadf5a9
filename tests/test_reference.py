"""The lists of airlines and airports that ship with the project."""

import itertools
import zoneinfo
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb

from tests import national_data
from transfers import demo, reference


def test_every_row_has_a_code_and_a_name() -> None:
    assert not reference.airlines()["Code"].null_count + reference.airlines()["Name"].null_count
    airports = reference.airports()
    assert [name for name in ("Code", "City", "State") if airports[name].null_count] == []
    codes = reference.airport_ids()["Code"].to_pylist()
    assert set(codes) <= set(airports["Code"].to_pylist())


def test_no_code_belongs_to_two_airlines_on_one_day() -> None:
    both = [
        (one["Code"], one["Name"], other["Name"])
        for one, other in itertools.combinations(reference.airlines().to_pylist(), 2)
        if one["Code"] == other["Code"]
        and max(first(one), first(other)) <= min(last(one), last(other))
    ]
    assert both == []
    assert all(first(row) <= last(row) for row in reference.airlines().to_pylist())


def test_the_date_says_which_airline_a_code_means() -> None:
    assert airline("OH", date(2008, 4, 9)) == "Comair Inc."
    assert airline("OH", date(2024, 4, 9)) == "PSA Airlines Inc."
    assert airline("MQ", date(2013, 12, 31)) == "American Eagle Airlines Inc."
    assert airline("MQ", date(2014, 1, 1)) == "Envoy Air"
    assert airline("HP", date(1990, 1, 1)) == "America West Airlines Inc."
    assert airline("OH", date(2014, 1, 1)) is None


def test_codes_and_ids_of_airports_are_unique() -> None:
    for values in (
        reference.airports()["Code"],
        reference.airport_ids()["Code"],
        reference.airport_ids()["Id"],
    ):
        assert len(set(values.to_pylist())) == len(values)
    ids = dict(
        zip(*(column.to_pylist() for column in reference.airport_ids().columns), strict=True)
    )
    assert (ids[12478], ids[10397]) == ("JFK", "ATL")


def test_coordinates_are_in_the_united_states_and_time_zones_exist() -> None:
    located = [row for row in reference.airports().to_pylist() if row["Name"]]
    assert all(-15 < row["Latitude"] < 72 for row in located)
    assert all(row["Longitude"] < -64 or row["Longitude"] > 144 for row in located)
    assert {row["Time_Zone"] for row in located} <= zoneinfo.available_timezones()


def test_an_airport_that_the_package_lists_by_a_newer_code_has_its_coordinates() -> None:
    palm_beach = airports()["PBI"]
    assert palm_beach["City"] == "West Palm Beach/Palm Beach, FL"
    assert palm_beach["Time_Zone"] == "America/New_York"
    assert round(palm_beach["Latitude"], 1) == 26.7


def test_what_the_package_does_not_list_is_null() -> None:
    closed = airports()["PFN"]
    assert (closed["City"], closed["State"]) == ("Panama City, FL", "FL")
    assert {closed[name] for name in ("Name", "Latitude", "Longitude", "Time_Zone")} == {None}


def test_the_lists_have_every_airline_and_airport_of_the_demo() -> None:
    flights = demo.records()
    carriers = set(flights["Airline Code"].to_pylist())
    assert carriers <= set(reference.airlines()["Code"].to_pylist())
    assert flights["Destination City"].null_count == 0
    assert all(airports()[code]["Time_Zone"] for code in set(flights["Destination"].to_pylist()))


@national_data.needed
def test_the_lists_have_every_name_of_the_national_data() -> None:
    flights = duckdb.read_parquet(str(national_data.FILE))
    named = flights.aggregate("uniqueCarrier, Airline_Name").fetchall()
    assert {code: airline(code, date(2008, 2, 1)) for code, _ in named} == dict(named)
    for code, city in (("origin", "Origin_City"), ("destination", "Destination_City")):
        cities = dict(flights.aggregate(f"{code}, {city}").fetchall())
        assert {code: airports()[code]["City"] for code in cities} == cities
        ids = set(reference.airport_ids()["Code"].to_pylist())
        assert cities.keys() <= ids


def airports() -> dict[str, dict[str, Any]]:
    return {row["Code"]: row for row in reference.airports().to_pylist()}


def airline(code: str, day: date) -> str | None:
    names: Iterator[str] = (
        row["Name"]
        for row in reference.airlines().to_pylist()
        if row["Code"] == code and first(row) <= day <= last(row)
    )
    return next(names, None)


def first(row: dict[str, Any]) -> date:
    return row["First_Date"] or date.min


def last(row: dict[str, Any]) -> date:
    return row["Last_Date"] or date.max
