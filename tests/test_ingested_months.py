"""Months of flights that are ingested again, and flights that repeat each other."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.platform import until
from tests.test_warehouses import SPARK, database, kind, read, servers, warehouse
from transfers.exceptions import BadInput, WarehouseError
from transfers.ingest.raw_columns import COLUMNS
from transfers.ingest.raw_table import INGESTED, RAW, ingest
from transfers.warehouses import Warehouse

__all__ = ["database", "kind", "servers", "warehouse"]  # fixtures

HEADER = "FL_DATE,OP_CARRIER,FL_NUM,ORIGIN,DEST,CRS_DEP_TIME,DEP_DELAY,ARR_DELAY"
# Databricks replaces months, also cut short, in the everyday tests; the rest takes it long.
REST = ["embedded", *(pytest.param(k, marks=pytest.mark.deep) for k in ("inline", "links")), SPARK]
JANUARY, FEBRUARY, MARCH = "2008-01-31", "2008-02-01", "2008-03-09"


def month(folder: Path, name: str, *flights: tuple[str, int], header: str = HEADER) -> Path:
    """Write a file of flights: their dates and numbers."""
    lines = [f"{day},WN,{number},BDL,BWI,0659,{number},1" for day, number in flights]
    path = folder / name
    path.write_text("\n".join([header, *lines, ""]))
    return path


def flights(warehouse: Warehouse) -> list[tuple[date, int]]:
    with warehouse.snapshot(RAW) as source:
        rows = read(source, []).to_pylist()
    return sorted((row["Flight_Date"], int(row["Flight_Number"])) for row in rows)


def entries(warehouse: Warehouse) -> dict[str, tuple[date | None, date | None, bool]]:
    with warehouse.snapshot(INGESTED) as source:
        rows = sorted(read(source, []).to_pylist(), key=lambda row: str(row["Ingested_At"]))
    return {
        row["Name"]: (row["First_Date"], row["Last_Date"], bool(row["Replaced_At"])) for row in rows
    }


def days(*flights: tuple[str, int]) -> list[tuple[date, int]]:
    return sorted((date.fromisoformat(day), number) for day, number in flights)


def test_only_the_months_of_the_files_are_replaced(warehouse: Warehouse, tmp_path: Path) -> None:
    both = month(tmp_path, "both.csv", (JANUARY, 1), (FEBRUARY, 2))
    march = month(tmp_path, "march.csv", (MARCH, 3), (MARCH, 4))
    ingest(warehouse, [both, march])
    again = month(tmp_path, "again.csv", ("2008-02-29", 20))
    ingest(warehouse, [again], "months")
    assert flights(warehouse) == days((JANUARY, 1), ("2008-02-29", 20), (MARCH, 3), (MARCH, 4))
    first, second, third = date(2008, 1, 31), date(2008, 2, 1), date(2008, 3, 9)
    assert entries(warehouse) == {
        "both.csv": (first, second, True),
        "march.csv": (third, third, False),
        "again.csv": (date(2008, 2, 29), date(2008, 2, 29), False),
    }
    assert [file.new for file in ingest(warehouse, [march, again], "months")] == [False, False]
    assert not any(table.startswith("incoming") for table in warehouse.tables())


@pytest.mark.parametrize("kind", ["links"], indirect=True)
def test_two_ingests_at_once_do_not_mix_their_records(
    warehouse: Warehouse, tmp_path: Path, servers: Callable[[str], Any]
) -> None:
    january = month(tmp_path, "january.csv", (JANUARY, 1))
    march = month(tmp_path, "march.csv", (MARCH, 3))
    servers("links").fault("ExecuteStatement", "slow", sql="date_trunc", seconds=5)
    with ThreadPoolExecutor() as other:
        first = other.submit(ingest, warehouse, [january], "months")
        until(lambda: has_incoming(warehouse))
        ingest(warehouse, [march], "months")
        assert [file.new for file in first.result()] == [True]
    assert flights(warehouse) == days((JANUARY, 1), (MARCH, 3))
    assert not any(table.startswith("incoming") for table in warehouse.tables())


def has_incoming(warehouse: Warehouse) -> bool:
    """Whether an ingest has loaded its rows, and not yet put them into the raw table."""
    tables = [table for table in warehouse.tables() if table.startswith("incoming")]
    if not tables:
        return False
    with warehouse.snapshot(tables[0]) as source:
        return source.rows == 1


@pytest.mark.parametrize("kind", REST, indirect=True)
def test_an_older_release_can_be_ingested_again(warehouse: Warehouse, tmp_path: Path) -> None:
    old = month(tmp_path, "old.csv", (MARCH, 1))
    new = month(tmp_path, "new.csv", (MARCH, 1), (MARCH, 2))
    for path in (old, new, old, new, old):
        assert [file.new for file in ingest(warehouse, [path], "months")] == [True]
    assert flights(warehouse) == days((MARCH, 1))
    ingest(warehouse, [new], "months")
    ingest(warehouse, [old], "append")
    assert flights(warehouse) == days((MARCH, 1), (MARCH, 1), (MARCH, 2))
    assert [file.new for file in ingest(warehouse, [old], "append")] == [False]


@pytest.mark.parametrize("kind", REST, indirect=True)
def test_other_columns_of_other_months_stay(warehouse: Warehouse, tmp_path: Path) -> None:
    header = "Flight Date,Airline Name,Origin City,Destination City,Departure Delay Minutes,Arrival"
    old = tmp_path / "old.csv"
    old.write_text(f"{header} Delay Minutes,Note\n{JANUARY},A,B,C,1,1,x\n{MARCH},A,B,C,1,1,y\n")
    ingest(warehouse, [old])
    ingest(warehouse, [month(tmp_path, "new.csv", (MARCH, 1))], "months")
    with warehouse.snapshot(RAW) as source:
        rows = read(source, ["Flight_Date"]).to_pylist()
    assert [(row["Note"], row["Flight_Number"]) for row in rows] == [("x", None), (None, "1")]


@pytest.mark.parametrize("kind", REST, indirect=True)
def test_a_bad_file_of_a_month_changes_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    ingest(warehouse, [month(tmp_path, "old.csv", (MARCH, 1))])
    before = warehouse.tables(), warehouse.version(RAW), warehouse.version(INGESTED)
    good, bad = (month(tmp_path, f"{name}.csv", (MARCH, 2)) for name in ("good", "bad"))
    bad.write_text(bad.read_text() + "2008-13-01,WN,1,BDL,BWI,0659,1,1\n")
    with pytest.raises(BadInput, match=r"bad.csv, line 3, column FL_DATE: '2008-13-01'"):
        ingest(warehouse, [good, bad], "months")
    assert before == (warehouse.tables(), warehouse.version(RAW), warehouse.version(INGESTED))


@pytest.mark.parametrize("kind", REST, indirect=True)
def test_the_list_of_files_of_an_earlier_release_stays(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    old = month(tmp_path, "old.csv", (MARCH, 1))
    ingest(warehouse, [old])
    with warehouse.change() as change:
        columns = "Digest, Name, Record_Count, Ingested_At"
        change.execute(f"CREATE OR REPLACE TABLE {INGESTED} AS SELECT {columns} FROM {INGESTED}")
    assert [file.new for file in ingest(warehouse, [old], "append")] == [False]
    new = month(tmp_path, "new.csv", (MARCH, 2))
    ingest(warehouse, [new], "append")
    assert entries(warehouse)["old.csv"] == (None, None, False)
    # It is unknown which months the file has, so it is read again.
    assert [file.new for file in ingest(warehouse, [old], "months")] == [True]
    assert flights(warehouse) == days((MARCH, 1))


@pytest.mark.parametrize("kind", REST, indirect=True)
def test_a_raw_table_of_an_earlier_release_is_upgraded(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    with warehouse.change() as change:
        change.execute(
            f"CREATE OR REPLACE TABLE {RAW} AS SELECT DATE '2008-03-09' AS Flight_Date,"
            " 'A' AS Airline_Name, 'B' AS Origin_City, 'C' AS Destination_City,"
            " 1 AS Departure_Delay_Minutes, 1 AS Arrival_Delay_Minutes,"
            " CAST(7 AS BIGINT) AS Flight_Number"
        )
    ingest(warehouse, [month(tmp_path, "new.csv", (JANUARY, 1))], "append")
    assert flights(warehouse) == days((MARCH, 7), (JANUARY, 1))
    with warehouse.snapshot(RAW) as source:
        assert {field.name: field.type for field in source.schema} == COLUMNS


@pytest.mark.parametrize("kind", REST, indirect=True)
@pytest.mark.parametrize("mode", ["append", "months"])
def test_repeated_flights_are_counted_refused_or_dropped(
    warehouse: Warehouse, tmp_path: Path, mode: Any
) -> None:
    ingest(warehouse, [month(tmp_path, "old.csv", (JANUARY, 1), (JANUARY, 1), (MARCH, 2))])
    twice = month(tmp_path, "twice.csv", (MARCH, 3), (MARCH, 3), (MARCH, 2))
    same = "same date, airline, flight number, airports and scheduled departure"
    count = 2 if mode == "append" else 1  # the existing flight, too
    before = warehouse.tables(), warehouse.version(RAW)
    with pytest.raises(BadInput, match=rf"twice.csv: {count} repeated flights \({same}\)"):
        ingest(warehouse, [twice], mode, repeated="refuse")
    assert before == (warehouse.tables(), warehouse.version(RAW))
    ingest(warehouse, [month(tmp_path, "once.csv", (MARCH, 4))], mode, repeated="refuse")
    (file,) = ingest(warehouse, [twice], mode, repeated="drop")
    assert file.warnings == (f"{count} repeated flights ({same}). One of each is kept.",)
    numbers = Counter(number for _, number in flights(warehouse))
    assert numbers == Counter({1: 2, 2: 1, 3: 1} | ({4: 1} if mode == "append" else {}))
    more = month(tmp_path, "more.csv", (FEBRUARY, 3), (FEBRUARY, 3))
    (file,) = ingest(warehouse, [more], mode)
    assert file.warnings == (f"1 repeated flights ({same}). All are kept.",)
    assert len(flights(warehouse)) == len(list(numbers.elements())) + 2


@pytest.mark.parametrize("kind", ["links"], indirect=True)
@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("UPDATE ingested", marks=pytest.mark.deep),
        "INSERT INTO `raw",
        pytest.param("COPY INTO `ingested_files`", marks=pytest.mark.deep),
    ],
)
def test_a_replaced_month_that_was_cut_short_can_be_repeated(
    warehouse: Warehouse, tmp_path: Path, servers: Callable[[str], Any], sql: str
) -> None:
    ingest(warehouse, [month(tmp_path, "old.csv", (JANUARY, 1), (MARCH, 2))])
    new = month(tmp_path, "new.csv", (MARCH, 3))
    servers("links").fault("ExecuteStatement", "403", sql=sql)
    with pytest.raises(WarehouseError, match="refused"):
        ingest(warehouse, [new], "months")
    assert [file.new for file in ingest(warehouse, [new], "months")] == [True]
    assert flights(warehouse) == days((JANUARY, 1), (MARCH, 3))
    assert not any(table.startswith("incoming") for table in warehouse.tables())
