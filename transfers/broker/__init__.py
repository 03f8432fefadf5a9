"""The broker builds the final tables from the raw records, inside the warehouse.

Each table has an SQL file in this folder, in Databricks' dialect. The embedded warehouse translates
it to DuckDB's.
"""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from transfers.exceptions import SourceMissing
from transfers.ingest.raw_table import RAW
from transfers.warehouses import Change, Warehouse

# Each table follows those that its SQL reads.
TABLES = ["flight_delay_data", "airline_performance", "busiest_airports_by_delays", "delays_by_day"]
BUILDS = "broker_builds"  # one row: the recipe of the last build


@dataclass(frozen=True)
class Built:
    """A table that was built."""

    name: str
    rows: int
    seconds: float


def build(warehouse: Warehouse, *, force: bool = False) -> list[Built]:
    """Rebuild all tables in one change, and return them.

    Do nothing, and return an empty list, if the raw records and the SQL are those of the last
    build. SourceMissing if there are no raw records.
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
        change.execute(f"CREATE OR REPLACE TABLE {BUILDS} AS SELECT '{recipe}' AS Recipe")
        return built


def sql(table: str) -> str:
    """Return the SQL statement that builds a table."""
    return Path(__file__).with_name(f"{table}.sql").read_text(encoding="utf-8")


def _build(change: Change, table: str) -> Built:
    started = time.perf_counter()
    change.execute(sql(table))
    rows = change.query(f"SELECT count(*) AS n FROM {table}")["n"][0].as_py()  # noqa: S608
    return Built(table, rows, time.perf_counter() - started)


def _recipe(change: Change) -> str:
    """Return the SHA-256 of the version of the raw records and all SQL."""
    parts = [change.version(RAW), *map(sql, TABLES)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _last_recipe(change: Change) -> str | None:
    if not {BUILDS, *TABLES} <= set(change.tables()):
        return None
    recipe: str = change.query(f"SELECT Recipe FROM {BUILDS}")["Recipe"][0].as_py()  # noqa: S608
    return recipe
