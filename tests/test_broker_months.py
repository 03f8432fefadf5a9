"""The broker builds only the months that changed, and the result equals a build of everything."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pytest_django import Settings

from tests.platform import COLUMNS as COLUMNS_OF_CSV
from tests.warehouse.each import each_warehouse
from tests.warehouse.running import WarehouseServer
from transfers import broker
from transfers.exceptions import WarehouseError
from transfers.ingest.raw_columns import COLUMNS
from transfers.ingest.raw_table import INGESTED, RAW, Mode, ingest
from transfers.warehouses import Change, Warehouse, connect

__all__ = ["each_warehouse"]  # a fixture

SCHEMA = pa.schema(COLUMNS.items())
FILES = pa.schema(
    [
        ("Digest", pa.string()),
        ("Name", pa.string()),
        ("Record_Count", pa.int64()),
        ("Ingested_At", pa.timestamp("us", "UTC")),
        ("First_Date", pa.date32()),
        ("Last_Date", pa.date32()),
    ]
)


# In the everyday tests Databricks builds a new month; the rest takes it long.
REST = ["embedded", pytest.param("databricks", marks=pytest.mark.deep)]


@pytest.fixture
def warehouse(each_warehouse: Warehouse, warehouse_server: WarehouseServer) -> Iterator[Warehouse]:
    """A warehouse with two flights a month from January to March 2024, one file for each month."""
    for month in (1, 2, 3):
        with each_warehouse.change() as change:
            add(change, f"file{month}", month)
    yield each_warehouse
    warehouse_server.clear_faults()


def flight(month: int, day: int, delay: int | None) -> dict[str, Any]:
    names = {"Airline_Name": f"Name {day}", "Origin_City": "A, NY", "Destination_City": "B, CA"}
    codes = {"Airline_Code": "UA", "Flight_Number": "1", "Origin": "JFK", "Destination": "LAX"}
    delays = {"Departure_Delay_Minutes": delay, "Arrival_Delay_Minutes": delay}
    more = {"Scheduled_Departure": "09:10", "Security_Delay_Minutes": delay, "Has_Arrivals": True}
    return {"Flight_Date": date(2024, month, day), **names, **codes, **delays, **more}


def add(change: Change, digest: str, month: int, delay: int | None = 20) -> None:
    """Add a file with two flights, as ingest does."""
    flights = [dict.fromkeys(COLUMNS) | flight(month, day, delay) for day in (1, 29)]
    records = pa.RecordBatch.from_pylist(flights, SCHEMA)
    change.append(RAW, SCHEMA, [records], digest)
    dates = {"First_Date": date(2024, month, 1), "Last_Date": date(2024, month, 29)}
    entry = {"Digest": digest, "Name": digest, "Record_Count": 2, "Ingested_At": datetime.now(UTC)}
    change.append(INGESTED, FILES, [pa.RecordBatch.from_pylist([entry | dates], FILES)], digest)


def contents(warehouse: Warehouse) -> dict[str, list[str]]:
    """All rows of all tables, sorted."""
    with warehouse.change() as change:
        return {
            table: sorted(map(str, change.query(f"SELECT * FROM {table}").to_pylist()))
            for table in broker.TABLES
        }


def in_full(warehouse: Warehouse) -> dict[str, list[str]]:
    broker.build(warehouse, force=True)
    return contents(warehouse)


def edit(warehouse: Warehouse, sql: str) -> None:
    with warehouse.change() as change:
        change.execute(sql)


def mark(warehouse: Warehouse) -> None:
    """Change all rows; a build of their month makes them new."""
    edit(warehouse, "UPDATE flight_delay_data SET Tail_Number = 'old' WHERE true")


def marked(warehouse: Warehouse) -> set[int]:
    """Return the months whose rows have not been built again."""
    with warehouse.change() as change:
        rows = change.query("SELECT * FROM flight_delay_data WHERE Tail_Number = 'old'").to_pylist()
    return {row["Flight_Date"].month for row in rows}


def test_a_new_file_builds_only_its_month(warehouse: Warehouse) -> None:
    broker.build(warehouse)
    mark(warehouse)
    with warehouse.change() as change:
        add(change, "file4", 4, delay=60)
    assert broker.build(warehouse)[0].rows == 8
    assert marked(warehouse) == {1, 2, 3}
    edit(warehouse, "UPDATE flight_delay_data SET Tail_Number = NULL WHERE true")
    built = contents(warehouse)
    assert len(built["performance_by_month"]) == 4
    assert built == in_full(warehouse)


@pytest.mark.parametrize("each_warehouse", REST, indirect=True)
def test_a_replaced_month_is_built_again_and_the_others_stay(warehouse: Warehouse) -> None:
    broker.build(warehouse)
    mark(warehouse)
    edit(
        warehouse,
        f"DELETE FROM {RAW} WHERE Flight_Date >= DATE '2024-02-01'"
        " AND Flight_Date < DATE '2024-03-01'",
    )
    with warehouse.change() as change:
        add(change, "again", 2, delay=None)
    broker.build(warehouse)
    assert marked(warehouse) == {1, 3}
    edit(warehouse, "UPDATE flight_delay_data SET Tail_Number = NULL WHERE true")
    built = contents(warehouse)
    assert built == in_full(warehouse)


@pytest.mark.parametrize("each_warehouse", REST, indirect=True)
def test_ingest_states_the_months_of_its_files(warehouse: Warehouse, tmp_path: Path) -> None:
    broker.build(warehouse)
    mark(warehouse)
    files: list[tuple[Mode, int, set[int]]] = [("append", 4, {1, 2, 3}), ("months", 2, {1, 3})]
    for mode, month, left in files:
        file = tmp_path / f"{month}.csv"
        file.write_text(f"{COLUMNS_OF_CSV}\n2024-0{month}-05,Alpha,A,B,10,20\n")
        ingest(warehouse, [file], mode)
        broker.build(warehouse)
        assert marked(warehouse) == left
    edit(warehouse, "UPDATE flight_delay_data SET Tail_Number = NULL WHERE true")
    assert contents(warehouse) == in_full(warehouse)


UNKNOWN = [
    f"DELETE FROM {RAW} WHERE Flight_Date < DATE '2024-02-01'",  # by somebody else
    "CREATE OR REPLACE TABLE broker_builds AS SELECT 'of an earlier release' AS Recipe",
    f"UPDATE {INGESTED} SET First_Date = NULL WHERE Digest = 'file6'",  # an earlier release
]


@pytest.mark.parametrize("each_warehouse", REST, indirect=True)
def test_everything_is_built_if_it_is_unknown_what_changed(warehouse: Warehouse) -> None:
    broker.build(warehouse)
    for month, change in enumerate(UNKNOWN, start=4):
        mark(warehouse)
        with warehouse.change() as adding:
            add(adding, f"file{month}", month)
        edit(warehouse, change)
        broker.build(warehouse)
        assert marked(warehouse) == set(), change
        assert contents(warehouse) == in_full(warehouse), change


@pytest.mark.parametrize(
    ("sql", "before"),
    [
        pytest.param("INSERT INTO `flight_delay_data`", 0, marks=pytest.mark.deep),
        ("REPLACE TABLE airports", 0),  # in the middle
        pytest.param("AS Recipe", 1, marks=pytest.mark.deep),
    ],
)
def test_after_an_interrupted_build_everything_is_built(
    warehouse_server: WarehouseServer, settings: Settings, sql: str, before: int
) -> None:
    """Databricks has no transaction: the tables that the build reached stay as it made them."""
    warehouse_server.configure(settings)
    own = connect(warehouse_server.schema(f"interrupted_{uuid.uuid4().hex}").url)
    with own.change() as change:
        add(change, "file1", 1)
    broker.build(own)
    with own.change() as change:
        add(change, "file2", 2)
    warehouse_server.fault("ExecuteStatement", "403", times=99, skip=before, sql=sql)
    with pytest.raises(WarehouseError):
        broker.build(own)
    warehouse_server.clear_faults()
    edit(own, f"DELETE FROM {RAW} WHERE Flight_Date >= DATE '2024-02-01'")
    edit(own, f"DELETE FROM {INGESTED} WHERE Digest = 'file2'")
    broker.build(own)
    built = contents(own)
    assert len(built["performance_by_date"]) == 2
    assert built == in_full(own)
