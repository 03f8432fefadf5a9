"""A data folder of an earlier release is upgraded while its tables stay public, and back again."""

import re
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from airsense.data_folder import PROJECT
from flights.tables import NAMES
from tests import servers
from tests.platform import Platform, Site, until
from tests.warehouse.each import each_warehouse as warehouse
from transfers import broker
from transfers.ingest import raw_upgrade
from transfers.ingest.raw_columns import COLUMNS
from transfers.ingest.raw_table import INGESTED, RAW
from transfers.warehouses import Warehouse, connect

__all__ = ["warehouse"]  # a fixture

MODEL = "flights/models/mirrored/flight_delay_data.py"
# The raw records of the first release's demo data.
FIRST_RELEASE = {
    "Flight_Date": [date(2013, 1, 1), date(2013, 1, 2), date(2013, 2, 1)],
    "Airline_Name": ["United Air Lines Inc.", "United Air Lines Inc.", "JetBlue Airways"],
    "Origin_City": ["Newark, NJ", "Newark, NJ", "New York, NY"],
    "Destination_City": ["Houston, TX", "Houston, TX", "Miami, FL"],
    "Departure_Delay_Minutes": pa.array([2, 20, None], pa.int32()),
    "Arrival_Delay_Minutes": pa.array([11, 33, None], pa.int32()),
    "Carrier": ["UA", "UA", "B6"],
    "Flight_Number": pa.array([1545, 1545, 7], pa.int64()),
    "Tail_Number": ["N14228", None, "N24211"],
    "Origin_Airport": ["EWR", "EWR", "JFK"],
    "Destination_Airport": ["IAH", "IAH", "MIA"],
    "Scheduled_Departure": pa.array([515, 2359, 2400], pa.int64()),
    "Scheduled_Arrival": pa.array([819, 0, None], pa.int64()),
    "Air_Time_Minutes": pa.array([227, 230, None], pa.int64()),
    "Distance_Miles": pa.array([1400, 1400, 1089], pa.int64()),
}
# Additional columns of a user's file, of other types: (old values, new values, values that stay).
ODD: dict[str, tuple[Any, list[Any], bool]] = {
    "Flight_Number": (pa.array([1.0, 77.0, None]), ["1", "77", None], False),
    "Scheduled_Departure": (["5:17", "05:17:00", "\\N"], ["05:17", "05:17", None], False),
    "Scheduled_Arrival": (["1260", "0859", "NA"], [None, "08:59", None], True),
    "Cancelled": (["1.00", "no", "\\N"], [True, False, None], False),
    "Diverted": (["maybe", "0", ""], [None, False, None], True),
    "Taxi_In_Minutes": (pa.array([5.0, -7.0, None]), [5, -7, None], False),
    "Taxi_Out_Minutes": (pa.array([5.0, 7.5, None]), [5, None, None], True),
    "Elapsed_Minutes": (["120", "9999999999", "NaN"], [120, None, None], True),
}


def write(warehouse: Warehouse, table: str, rows: pa.Table) -> None:
    with warehouse.change() as change:
        change.append(table, rows.schema, rows.to_batches(), uuid.uuid4().hex)


def upgraded(warehouse: Warehouse) -> dict[str, list[Any]]:
    """Upgrade the raw table; return its columns."""
    with warehouse.change() as change:
        assert raw_upgrade.upgrade(change, RAW)
    with warehouse.change() as change:
        assert not raw_upgrade.upgrade(change, RAW)
        rows = change.query(f"SELECT * FROM {RAW} ORDER BY Flight_Date")
    assert rows.schema.names[: len(COLUMNS)] == list(COLUMNS)
    assert [f.type for f in rows.schema][: len(COLUMNS)] == list(COLUMNS.values())
    columns: dict[str, list[Any]] = rows.to_pydict()
    return columns


def test_records_of_the_first_release_get_all_columns(warehouse: Warehouse) -> None:
    old = pa.table(FIRST_RELEASE)
    write(warehouse, RAW, old)
    columns = upgraded(warehouse)
    assert columns["Airline_Code"] == old["Carrier"].to_pylist()
    assert columns["Flight_Number"] == ["1545", "1545", "7"]
    assert columns["Origin"] == old["Origin_Airport"].to_pylist()
    assert columns["Destination"] == old["Destination_Airport"].to_pylist()
    assert columns["Scheduled_Departure"] == ["05:15", "23:59", "00:00"]
    assert columns["Scheduled_Arrival"] == ["08:19", "00:00", None]
    assert columns["Air_Minutes"] == [227, 230, None]
    assert columns["Has_Arrivals"] == [True] * 3
    assert columns["Cancelled"] == columns["Scheduled_Minutes"] == [None] * 3
    same = [*list(FIRST_RELEASE)[:7], "Tail_Number", "Origin_Airport", "Distance_Miles"]
    assert {name: columns[name] for name in same} == old.select(same).to_pydict()
    assert not [name for name in columns if "upgrade" in name]


def test_values_that_cannot_be_converted_stay_in_a_column_of_their_own(
    warehouse: Warehouse,
) -> None:
    first = dict(list(FIRST_RELEASE.items())[:6])
    write(warehouse, RAW, pa.table(first | {name: old for name, (old, _, _) in ODD.items()}))
    columns = upgraded(warehouse)
    for name, (old, new, stays) in ODD.items():
        assert columns[name] == new, name
        values = old if isinstance(old, list) else old.to_pylist()
        assert columns.get(f"{name}_before_upgrade") == (values if stays else None), name


def copy(folder: Path) -> Path:
    """Copy the project's code."""
    ignored = shutil.ignore_patterns(".*", "__pycache__")
    return Path(shutil.copytree(PROJECT, folder, ignore=ignored))


@pytest.fixture
def older(fresh: Platform, tmp_path: Path) -> Platform:
    """The platform, run by code with only the tables and columns of the first release."""
    code = copy(tmp_path / "older")
    tables, model = code / "flights/tables.py", code / MODEL
    newer = re.compile(r"^    (performance|lists)\..*\n", re.MULTILINE)
    tables.write_text(newer.sub("", tables.read_text()))
    text = model.read_text()
    fields, declaration = text.index("    airline_code ="), text.index("    mirror = ")
    meta = text.index("    class Meta")
    order = '    mirror = Mirror(order=("flight_date", "airline_name"), grows_by="flight_date")\n\n'
    assert fields < declaration < meta
    model.write_text(text[:fields] + order + text[meta:])
    return Platform(fresh.env, code)


def first_release(warehouse: Warehouse) -> None:
    """Write the raw records and the tables that the first release builds."""
    raw = pa.table(FIRST_RELEASE)
    write(warehouse, RAW, raw)
    entry = {"Digest": "a", "Name": "a.csv", "Record_Count": 3, "Ingested_At": datetime.now(UTC)}
    write(warehouse, INGESTED, pa.Table.from_pylist([entry]))
    write(warehouse, "flight_delay_data", raw.select(raw.column_names[:6]))
    with warehouse.change() as change:
        for table in ("airline_performance", "busiest_airports_by_delays", "delays_by_day"):
            change.execute(broker.sql(table))
        change.execute("CREATE OR REPLACE TABLE broker_builds AS SELECT 'digest' AS Recipe")


@contextmanager
def reading(site: Site) -> Iterator[list[int]]:
    """Read flights again and again during the block; yields the statuses of the responses."""
    statuses, stop = list[int](), threading.Event()

    def read() -> None:
        while not stop.wait(0.05):
            statuses.append(
                site.get("/api/flight_delay_data/?limit=2&order_by=-Flight_Date").status
            )

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        thread.join()


def first_row(site: Site) -> dict[str, Any]:
    row: dict[str, Any]
    (row,) = site.get("/api/flight_delay_data/?limit=1").json()["results"]
    return row


@pytest.mark.deep
def test_a_data_folder_of_the_first_release_gets_all_tables_while_its_tables_are_read(
    fresh: Platform, older: Platform
) -> None:
    first_release(connect(fresh.env["WAREHOUSE_URL"]))
    older.manage("transfer", "--all")
    fresh.manage("setup")
    with fresh.site(processes=1) as site:
        row = first_row(site)
        assert (row["Arrival_Delay_Minutes"], row["Airline_Code"]) == (11, None)
        with reading(site) as statuses:
            fresh.manage("broker")
            fresh.manage("transfer", "--all")
        assert set(statuses) == {200}
        until(lambda: first_row(site)["Airline_Code"] == "UA")  # cached for up to a second
        assert first_row(site)["Scheduled_Departure_Hour"] == 5
        rows = {table["table"]: table["rows"] for table in site.get("/api/").json()}
        assert rows.keys() == set(NAMES)
        assert 0 not in rows.values()
        (row,) = site.get("/api/performance_by_month/?Airline_Code=UA").json()["results"]
        assert (row["Scheduled_Flights"], row["On_Time_Percent"]) == (2, 50.0)


NEXT = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("{app}", "{last}")]
    operations = [migrations.RunSQL("ALTER TABLE {table} ADD COLUMN next text")]
"""


@pytest.fixture
def following(previous: Platform, tmp_path: Path) -> Platform:
    """The release after the previous one: all tables, and a migration more in each app."""
    code = copy(tmp_path / "following")
    for app, table in (("flights", "flights_tableversion"), ("transfers", "transfers_transfer")):
        folder = code / app / "migrations"
        last = max(folder.glob("0*.py")).stem
        (folder / "9999_next.py").write_text(NEXT.format(app=app, last=last, table=table))
    return Platform(previous.env, code)


@pytest.fixture
def previous(older: Platform, tmp_path: Path) -> Platform:
    """The previous release on an empty database: fewer tables and columns."""
    return Platform(empty(tmp_path / "previous"), older.code)


def empty(folder: Path) -> dict[str, str]:
    """The settings of a platform with an empty database and data folder."""
    home = {"AIRSENSE_HOME": f"{folder}/home", "WAREHOUSE_URL": f"duckdb://{folder}/warehouse"}
    return servers.own_environment() | home


@pytest.mark.deep
def test_a_backup_made_before_an_upgrade_leads_back_and_forward_again(
    previous: Platform, following: Platform, tmp_path: Path
) -> None:
    path, before, after = "/api/flight_delay_data/", tmp_path / "before", tmp_path / "after"
    previous.manage("setup")
    first_release(connect(previous.env["WAREHOUSE_URL"]))
    previous.manage("transfer", "--all")
    with previous.site(processes=1) as site:
        rows = site.get(path).json()["results"]
    previous.manage("backup", str(before))

    for command in (["setup"], ["broker"], ["transfer", "--all"], ["backup", str(after)]):
        following.manage(*command)
    with following.site(processes=1) as site, previous.site(processes=1) as old_site:
        assert site.get(path).json()["results"][0]["Airline_Code"] == "UA"
        assert old_site.get(path).json()["results"] == rows  # migrations only add

    back = Platform(empty(tmp_path / "back"), previous.code)
    refused = back.attempt("restore", str(after))
    assert "The backup is of a newer release" in refused.stderr
    back.manage("restore", str(before))
    back.manage("transfer", "--all")
    with back.site(processes=1) as site:
        assert site.get(path).json()["results"] == rows

    forward = Platform(empty(tmp_path / "forward"), following.code)
    forward.manage("restore", str(before))
    with forward.site(processes=1) as site:
        assert site.get(path).json()["results"][0]["Arrival_Delay_Minutes"] == 11
