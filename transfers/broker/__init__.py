"""The broker: builds the final tables from the raw records, inside the warehouse.

Each `TABLE.sql` in this folder is one statement of Databricks SQL that makes the table TABLE. It
runs unchanged on Databricks. To build one more table, add a file.
"""

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from transfers.exceptions import SourceMissing
from transfers.ingest.raw_table import RAW
from transfers.warehouses import Change, Warehouse

# A table that the SQL of another one reads.
READ = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)", re.IGNORECASE)
BUILDS = "broker_builds"  # one row: the recipe of the last build


@dataclass(frozen=True)
class Built:
    """A table that was built."""

    name: str
    rows: int
    seconds: float


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
    build. Raises SourceMissing if there are no raw records.
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


TABLES = in_order({file.stem: sql(file.stem) for file in Path(__file__).parent.glob("*.sql")})


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
