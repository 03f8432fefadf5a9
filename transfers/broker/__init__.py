"""The broker: builds the final tables from the raw records, inside the warehouse.

Each `TABLE.sql` in this folder is one statement of Databricks SQL that makes the table TABLE; the
package `performance` holds the SQL of the performance tables. All of it runs unchanged on
Databricks. To build one more table, add a file.
"""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from transfers import warehouses
from transfers.exceptions import SourceMissing
from transfers.ingest import raw_upgrade
from transfers.ingest.raw_table import RAW
from transfers.warehouses import Change, Warehouse

from . import airport_list, builds, performance
from .builds import Period

# A table that the SQL of another one reads.
READ = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)", re.IGNORECASE)
# Tables whose months can be built one by one, and the column that has the date.
BY_MONTHS = {
    "flight_delay_data": "Flight_Date",
    "performance_by_month": "Month",
    "performance_by_date": "Flight_Date",
}


@dataclass(frozen=True)
class Built:
    """A table that was built."""

    name: str
    rows: int
    seconds: float
    left_out: int = 0  # flights without a value in a key column

    @property
    def summary(self) -> str:
        """One line for people."""
        line = f"{self.name}: {self.rows:,} rows in {self.seconds:.2f} s"
        if not self.left_out:
            return line
        keys = ", ".join(performance.GROUPINGS[self.name].keys)
        return f"{line}; {self.left_out:,} flights left out, without a value in {keys}"


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
    """Build all tables in one change, and return them.

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
        current, last = builds.current(change, _statements()), _last(change)
        if last and last.recipe == current.recipe and not force:
            return []
        builds.forget(change)
        built = _build_all(change, [] if force else current.changes_since(last))
        current.record(change)
        return built


def lines(built: Sequence[Built]) -> list[str]:
    """Return what a build did, a line for each table."""
    unchanged = "The tables are up to date: nothing has changed since the last build."
    return [table.summary for table in built] or [unchanged]


def sql(table: str) -> str:
    """Return the SQL statement that builds a table."""
    if table in performance.GROUPINGS:
        return performance.sql(table)
    return Path(__file__).with_name(f"{table}.sql").read_text(encoding="utf-8")


NAMES = [*performance.GROUPINGS, *(file.stem for file in Path(__file__).parent.glob("*.sql"))]
TABLES = in_order({table: sql(table) for table in NAMES})


def _statements() -> list[str]:
    """Return all SQL, and the list of airports."""
    return [*map(sql, TABLES), airport_list.sql()]


def _last(change: Change) -> builds.Build | None:
    """Return the last build if all its tables exist."""
    return builds.last(change) if {*TABLES} <= {*change.tables()} else None


def _build_all(change: Change, periods: Sequence[Period]) -> list[Built]:
    """Build all tables; with periods, only these months of the tables in `BY_MONTHS`."""
    change.execute(airport_list.sql(_airport_codes(change)))
    records = warehouses.count(change, RAW)
    built = [_build(change, table, periods, records) for table in TABLES]
    if periods and built[0].rows != records:
        # Somebody else changed records of other months.
        return _build_all(change, [])
    return built


def _build(change: Change, table: str, periods: Sequence[Period], records: int) -> Built:
    started = time.perf_counter()
    if periods and table in BY_MONTHS:
        _build_months(change, table, periods)
    else:
        change.execute(sql(table))
    rows = warehouses.count(change, table)
    left_out = _count_omitted(change, table, records) if table in performance.GROUPINGS else 0
    return Built(table, rows, time.perf_counter() - started, left_out)


def _build_months(change: Change, table: str, periods: Sequence[Period]) -> None:
    query = sql(table).partition(f"CREATE OR REPLACE TABLE {table} AS\n")[2]
    records = f"(SELECT * FROM {RAW} WHERE {_any(periods, 'Flight_Date')})"  # noqa: S608
    change.replace(table, _any(periods, BY_MONTHS[table]), re.sub(rf"\b{RAW}\b", records, query))


def _any(periods: Sequence[Period], column: str) -> str:
    return f"({' OR '.join(period.condition(column) for period in periods)})"


def _count_omitted(change: Change, table: str, records: int) -> int:
    """Count the flights that are in no row of a performance table."""
    times = len(performance.GROUPINGS[table].directions)
    counted = change.query(f"SELECT sum(Scheduled_Flights) AS n FROM {table}")  # noqa: S608
    return times * records - int(counted["n"][0].as_py() or 0)


def _airport_codes(change: Change) -> list[str | None]:
    codes: list[str | None] = change.query(airport_list.CODES)["Code"].to_pylist()
    return codes
