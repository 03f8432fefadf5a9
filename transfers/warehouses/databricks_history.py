"""The versions of a Delta table: https://docs.databricks.com/aws/en/delta/history"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transfers.exceptions import WarehouseError

from . import missing
from . import spark_sql as sql
from .databricks_address import Address
from .spark_snapshot import Session

HISTORY = 50  # latest commits in which to look for the last one that changed rows
# Operations that do not change rows; Databricks runs some of them by itself.
MAINTENANCE = ("OPTIMIZE", "VACUUM", "REORG", "ANALYZE", "COMPUTE STATS", "SET TBLPROPERTIES")
COPY = "airsense_copy_"  # begins the names of copies of views (`databricks_copy`)


@contextmanager
def pinning(table: str) -> Iterator[None]:
    """Add advice to the error if the warehouse refuses a version for a reason that has no advice.

    Databricks has no versions of views, materialized views and streaming tables, and shows none of
    tables with row filters or column masks.
    """
    try:
        yield
    except WarehouseError as error:
        if type(error) is not WarehouseError or error.advice:
            raise
        raise WarehouseError(
            f"{table} cannot be read at one version: {error}",
            advice="If it is a view, a materialized view, a streaming table, or has a row filter or"
            " a column mask: declare pinned=False in the model's Mirror (and inspect it with"
            " `inspectwarehouse --unpinned`), and grant CREATE TABLE. Then a transfer reads it"
            " once, into a table of its own.",
        ) from None


def current(session: Session, address: Address, table: str) -> tuple[int, str]:
    """Return a table's newest version number, and the version that last changed its rows.

    The latter includes the time, because the numbers of a recreated table start from 0 again.
    """
    with existing(session, address, table):
        commits = _commits(session, table, f" LIMIT {HISTORY}")
    changed = [c for c in commits if not c["operation"].startswith(MAINTENANCE)] or commits[-1:]
    return commits[0]["version"], _version(changed[0])


@contextmanager
def existing(session: Session, address: Address, table: str) -> Iterator[None]:
    """Raise SourceMissing for a statement that does not find a table."""
    try:
        yield
    except WarehouseError as error:
        if "TABLE_OR_VIEW_NOT_FOUND" in str(error):
            raise missing(table, tables(session, address)) from None
        raise


def versions(session: Session, table: str) -> list[str]:
    """Return all versions of a table."""
    return list(map(_version, _commits(session, table)))


def tables(session: Session, address: Address, *, with_copies: bool = False) -> list[str]:
    """Return the names of a schema's tables, sorted. `with_copies`: also the copies of views."""
    schema = f"{sql.name(address.catalog)}.{sql.name(address.schema)}"
    rows = session.run(f"SHOW TABLES IN {schema}").to_pylist()
    names = sorted(row["tableName"] for row in rows if not row["isTemporary"])
    return [name for name in names if with_copies or not name.startswith(COPY)]


def _commits(session: Session, table: str, limit: str = "") -> list[dict[str, Any]]:
    """Return a table's commits, the newest first."""
    return list(session.run(f"DESCRIBE HISTORY {sql.table(table)}{limit}").to_pylist())


def _version(commit: dict[str, Any]) -> str:
    return f"{commit['version']} of {commit['timestamp']:%Y-%m-%d %H:%M:%S.%f}"
