"""The API returns for each final table what DuckDB computes from the raw file."""

import os
from pathlib import Path

import duckdb
import pytest
from django.conf import settings

from tests.expected_tables import rounded
from tests.platform import Platform, Site
from transfers import demo

NATIONAL = os.environ.get("FLIGHTS", "")  # a Parquet file of millions of flights

type Rows = dict[object, list[object]]


def test_the_demo_tables_are_right(site: Site) -> None:
    _check(site, settings.HOME / "demo" / demo.NAME)


@pytest.mark.deep
@pytest.mark.skipif(not NATIONAL, reason="FLIGHTS names no file")
def test_the_national_tables_are_right(fresh: Platform) -> None:
    fresh.manage("ingest", NATIONAL)
    fresh.manage("broker")
    fresh.manage("transfer", "--all")
    with fresh.site() as site:
        _check(site, Path(NATIONAL))


def _check(site: Site, file: Path) -> None:
    flights = duckdb.read_parquet(str(file))
    names = ", ".join(f'"{n}" AS {n.replace(" ", "_")}' for n in flights.columns)
    flights = flights.project(names).set_alias("flights")
    assert _from_api(site, "airline_performance") == _averages(flights, "Airline_Name")
    assert _from_api(site, "delays_by_day") == _averages(flights, "dayname(Flight_Date)")
    assert _from_api(site, "busiest_airports_by_delays") == _airports(flights)


def _from_api(site: Site, table: str) -> Rows:
    """All rows by their first column."""
    answer = site.get(f"/api/dynamic_query?table_name={table}")
    return {first: rest for first, *rest in (row.values() for row in answer.json())}


def _averages(flights: duckdb.DuckDBPyRelation, by: str) -> Rows:
    dep, arr = "Departure_Delay_Minutes", "Arrival_Delay_Minutes"
    sums = f"{by}, sum({dep}), count({dep}), sum({arr}), count({arr}), count(*)"
    rows = flights.aggregate(sums, by).fetchall()
    return {key: [rounded(d, dn), rounded(a, an), n] for key, d, dn, a, an, n in rows}


def _airports(flights: duckdb.DuckDBPyRelation) -> Rows:
    sides = [
        _late(flights, "Origin_City", "Departure"),
        _late(flights, "Destination_City", "Arrival"),
    ]
    rows: Rows = {}
    for city in sides[0].keys() | sides[1].keys():
        (dep, departures), (arr, arrivals) = (side.get(city, (0, 0)) for side in sides)
        one, other = rounded(dep, departures) or 0, rounded(arr, arrivals) or 0
        both = round(one + other, 2)  # of two numbers with 2 places, so nothing is half way
        rows[city] = [dep, departures, one, arr, arrivals, other, both]
    return rows


def _late(flights: duckdb.DuckDBPyRelation, city: str, side: str) -> dict[object, tuple[int, int]]:
    """Minutes and number of the flights that were late, by city."""
    delay = f"{side}_Delay_Minutes"
    late = flights.filter(f"{delay} > 0").aggregate(f"{city}, sum({delay}), count(*)", city)
    return {key: (int(total), count) for key, total, count in late.fetchall()}
