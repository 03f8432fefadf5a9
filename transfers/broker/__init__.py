"""The broker: makes the tables that are transferred from the raw records, in the warehouse.

Each table is one file of Databricks SQL here, which runs as it is on Databricks.
"""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from transfers.exceptions import SourceMissing
from transfers.ingest.raw_table import RAW
from transfers.warehouses import Change, Warehouse

# Each after those that it reads.
TABLES = ["flight_delay_data", "airline_performance", "busiest_airports_by_delays", "delays_by_day"]
BUILT = "broker_builds"  # one row: what the tables were made of


@dataclass(frozen=True)
class Built:
    table: str
    rows: int
    seconds: float


def build(warehouse: Warehouse, *, force: bool = False) -> list[Built]:
    """Make all tables anew, together; none where raw records and SQL are those of the last time.

    SourceMissing where there are no raw records.
    """
    with warehouse.change() as change:
        if RAW not in change.tables():
            raise SourceMissing(
                "The warehouse has no raw records.",
                advice="Run `manage.py ingest FILE`, or `manage.py ingest --demo`.",
            )
        recipe = _recipe(change)
        if not force and recipe == _last_recipe(change):
            return []
        built = [_build(change, table) for table in TABLES]
        change.execute(f"CREATE OR REPLACE TABLE {BUILT} AS SELECT '{recipe}' AS Recipe")
        return built


def sql(table: str) -> str:
    """The statement that makes a table."""
    return Path(__file__).with_name(f"{table}.sql").read_text(encoding="utf-8")


def _build(change: Change, table: str) -> Built:
    started = time.perf_counter()
    change.execute(sql(table))
    rows = change.query(f"SELECT count(*) AS n FROM {table}")["n"][0].as_py()  # noqa: S608
    return Built(table, rows, time.perf_counter() - started)


def _recipe(change: Change) -> str:
    parts = [change.version(RAW), *map(sql, TABLES)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _last_recipe(change: Change) -> str | None:
    if not {BUILT, *TABLES} <= set(change.tables()):
        return None
    recipe: str = change.query(f"SELECT Recipe FROM {BUILT}")["Recipe"][0].as_py()  # noqa: S608
    return recipe
