"""The broker: builds the final tables from the raw records, inside the warehouse.

Each `TABLE.sql` in this folder is one statement of Databricks SQL that makes the table TABLE; the
package `performance` holds the SQL of the performance tables. All of it runs unchanged on
Databricks. To build one more table, add a file.
"""

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from transfers.exceptions import SourceMissing
from transfers.ingest import raw_upgrade
from transfers.ingest.raw_table import RAW
from transfers.warehouses import Change, Warehouse

from . import airport_list, performance

# A table that the SQL of another one reads.
READ = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)", re.IGNORECASE)
BUILDS = "broker_builds"  # one row: the recipe of the last build


@dataclass(frozen=True)
class Built:
    """A table that was built."""

    name: str
    rows: int
    seconds: float
    left_out: int = 0  # flights without a value in a key column


def in_order(statements: Mapping[str, str]) -> list[str]:
    """Sort tables so that each comes after the tables that its SQL reads.

    `statements` maps the name of a table to its SQL. Raises `graphlib.CycleError` if two tables
    read each other.
    """
    reads = {
        table: sorted(statements.keys() & {*READ.findall(statement)} - {table})
        for table, statement in sorted(statements.items())
    }
    return list(TopologicalSorter(reads).static_order())


def build(warehouse: Warehouse, *, force: bool = False) -> list[Built]:
    """Rebuild all tables in one change, and return them.

    Does nothing, and returns an empty list, if the raw records and the SQL are those of the last
    build. Raises SourceMissing if there are no raw records. Upgrades the raw table of an earlier
    release first.
    """
    with warehouse.change() as change:
        if RAW not in change.tables():
            raise SourceMissing(
                "The warehouse has no raw records.",
                advice="Run `manage.py ingest FILE`, or `manage.py ingest --demo`.",
            )
        raw_upgrade.upgrade(change, RAW)
        recipe = _recipe(change)
        if not force and recipe == _last_recipe(change):
            return []
        change.execute(airport_list.sql(_airport_codes(change)))
        built = [_build(change, table) for table in TABLES]
        change.execute(f"CREATE OR REPLACE TABLE {BUILDS} AS SELECT '{recipe}' AS Recipe")
        return built


def sql(table: str) -> str:
    """Return the SQL statement that builds a table."""
    if table in performance.GROUPINGS:
        return performance.sql(table)
    return Path(__file__).with_name(f"{table}.sql").read_text(encoding="utf-8")


NAMES = [*performance.GROUPINGS, *(file.stem for file in Path(__file__).parent.glob("*.sql"))]
TABLES = in_order({table: sql(table) for table in NAMES})


def _build(change: Change, table: str) -> Built:
    started = time.perf_counter()
    change.execute(sql(table))
    rows = _count(change, table)
    left_out = _left_out(change, table) if table in performance.GROUPINGS else 0
    return Built(table, rows, time.perf_counter() - started, left_out)


def _left_out(change: Change, table: str) -> int:
    """Count the flights that are in no row of a performance table."""
    times = len(performance.GROUPINGS[table].directions)
    counted = change.query(f"SELECT sum(Scheduled_Flights) AS n FROM {table}")  # noqa: S608
    return times * _count(change, RAW) - int(counted["n"][0].as_py() or 0)


def _count(change: Change, table: str) -> int:
    return int(change.query(f"SELECT count(*) AS n FROM {table}")["n"][0].as_py())  # noqa: S608


def _airport_codes(change: Change) -> list[str | None]:
    codes: list[str | None] = change.query(airport_list.CODES)["Code"].to_pylist()
    return codes


def _recipe(change: Change) -> str:
    """Return the SHA-256 of the version of the raw records and all SQL."""
    parts = [change.version(RAW), *map(sql, TABLES)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _last_recipe(change: Change) -> str | None:
    if not {BUILDS, *TABLES} <= set(change.tables()):
        return None
    recipe: str = change.query(f"SELECT Recipe FROM {BUILDS}")["Recipe"][0].as_py()  # noqa: S608
    return recipe
