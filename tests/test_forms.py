"""The same flights give the same records, whatever form of the DOT's data they are in."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.test_ingest import Ingest, batches, ingest, raw, warehouse
from transfers.ingest import plan
from transfers.ingest.raw_columns import COLUMNS
from transfers.ingest.raw_table import RAW
from transfers.warehouses import Warehouse

__all__ = ["ingest", "warehouse"]  # fixtures

FOLDER = Path(__file__).parent / "data" / "forms"
MONTH = FOLDER / "On_Time_Reporting_Carrier_On_Time_Performance_1987_present_2008_4.zip"
# The forms of the files, and which columns each does not have.
NEVER = [name for name in COLUMNS if name not in {*list(COLUMNS)[:6], "Has_Arrivals"}]
FILES = {
    MONTH.name: ("DOT monthly file since 2018", []),
    "two_months.zip": ("DOT monthly file since 2018", []),
    "On_Time_On_Time_Performance_2008_4.csv": ("DOT monthly file before 2018", []),
    "T_ONTIME_REPORTING.csv": ("DOT web form", []),
    "2008.csv.gz": ("Data Expo 2009", []),
    "flights_without_header.csv": ("Data Expo 2009", []),
    "flights_2015_style.csv": ("Kaggle 2015", ["Cancellation_Reason"]),
    "original_columns.csv": ("AirSense's own columns", NEVER),
}


def records(path: Path) -> list[dict[str, Any]]:
    """All records of a file, in an order that does not depend on its form."""
    rows = [row for batch in batches(path) for row in batch.to_pylist()]
    return sorted(rows, key=lambda row: str(list(row.values())[:6]))


def without(rows: list[dict[str, Any]], columns: list[str]) -> list[list[tuple[str, Any]]]:
    """The rows without some columns, sorted."""
    shared = [name for name in COLUMNS if name not in columns]
    return sorted(([(name, row[name]) for name in shared] for row in rows), key=str)


@pytest.fixture(scope="module")
def expected() -> list[dict[str, Any]]:
    """The records of the DOT's monthly file."""
    return records(MONTH)


def test_the_monthly_file_gives_typed_records(expected: list[dict[str, Any]]) -> None:
    assert len(expected) == 133
    (late,) = (row for row in expected if row["Destination"] == "BRW" and not row["Diverted"])
    assert list(late.values()) == [
        *(date(2008, 4, 9), "Alaska Airlines Inc.", "Deadhorse, AK", "Barrow, AK", 18, 25),
        *("AS", "143", "N768AS", "SCC", "BRW", "09:31", "10:19", False, False, None),
        *(14, 5, 48, 55, 36, 204),
        *(0, 0, 7, 0, 18),
        True,
    ]
    (cancelled,) = (row for row in expected if row["Cancellation_Reason"] == "weather")
    assert (cancelled["Cancelled"], cancelled["Flight_Number"]) == (True, "3814")
    assert cancelled["Departure_Delay_Minutes"] is None
    assert sum(row["Diverted"] for row in expected) == 4


@pytest.mark.parametrize("name", FILES)
def test_every_form_gives_the_same_records(name: str, expected: list[dict[str, Any]]) -> None:
    form, missing = FILES[name]
    rows = records(FOLDER / name)
    assert without(rows, missing) == without(expected, missing)
    assert all(row[column] is None for row in rows for column in missing)
    assert plan.read([FOLDER / name]).lines()[0].split(": ", 1)[1].startswith(form)


def test_departures_of_the_detailed_statistics_are_the_same(
    expected: list[dict[str, Any]],
) -> None:
    rows = records(FOLDER / "Detailed_Statistics_Departures.csv")
    missing = [name for name in COLUMNS if all(row[name] is None for row in rows)]
    assert missing == [
        *("Arrival_Delay_Minutes", "Scheduled_Arrival", "Cancelled", "Diverted"),
        *("Cancellation_Reason", "Taxi_In_Minutes", "Air_Minutes", "Distance_Miles"),
    ]
    south = [row for row in expected if (row["Airline_Code"], row["Origin"]) == ("WN", "BDL")]
    assert without(rows, [*missing, "Has_Arrivals"]) == without(south, [*missing, "Has_Arrivals"])
    assert {row["Has_Arrivals"] for row in rows} == {False}


def test_a_form_can_be_ingested_by_the_command(ingest: Ingest, warehouse: Warehouse) -> None:
    report = ingest(str(MONTH))
    assert report.splitlines()[0] == f"{MONTH.name}: DOT monthly file since 2018"
    assert "  Departure_Delay_Minutes                 DepDelay\n" in report
    assert "  Airline_Name                            derived from Airline_Code and the" in report
    assert "  Not used: 83 of the file's columns (Year, Quarter, Month and 80 more)\n" in report
    assert f"{MONTH.name}: 133 records\n" in report
    with warehouse.snapshot(RAW) as snapshot:
        assert {field.name: field.type for field in snapshot.schema} == COLUMNS
    assert len(raw(warehouse)) == 133


def test_explain_changes_nothing(ingest: Ingest, warehouse: Warehouse) -> None:
    assert "DOT web form" in ingest(str(FOLDER / "T_ONTIME_REPORTING.csv"), explain=True)
    assert warehouse.tables() == []
