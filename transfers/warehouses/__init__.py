"""Where tables are made. What a warehouse can do, and `connect`, which finds the one of a URL.

Each other module of this package knows one warehouse, and nothing else in the project does.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol
from urllib.parse import urlsplit

import pyarrow as pa

from transfers.exceptions import SourceMissing, WarehouseError

log = logging.getLogger(__name__)

# Large enough for columnar speed, small enough that a few batches in memory do not matter.
BATCH_ROWS = 65_536


class Snapshot(Protocol):
    """One table at one version, which stays readable whatever becomes of the warehouse."""

    @property
    def version(self) -> str:
        """Changes exactly when somebody changed the table."""

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def rows(self) -> int: ...

    def batches(
        self, columns: Sequence[str], order: Sequence[str], after: tuple[str, Any] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows, about `BATCH_ROWS` at a time, each with `columns` as the table spells them.

        Sorted by `order` ("-" before a name descends), then by all columns; a null counts as
        the greatest value, as in PostgreSQL. `after` leaves out rows whose value of a column is not
        greater than a value.
        """

    def changes(
        self, columns: Sequence[str], key: Sequence[str], since: str
    ) -> Iterator[pa.RecordBatch]:
        """What became of each key that changed since a version: its `columns` and, behind them,
        whether it is gone. WarehouseError where the warehouse does not know.
        """

    def figures(self, schema: pa.Schema, columns: Sequence[str]) -> dict[str, str | None]:
        """What `transfers.verify` compares, computed by SQL in the warehouse.

        `columns` are the table's names of the schema's fields.
        """

    def comments(self) -> dict[str, str]:
        """What the warehouse says of its columns, by their names."""


class Change(Protocol):
    """A change of the warehouse while it is made; statements are Databricks SQL.

    What is dropped and appended may be seen only once the block has ended.
    """

    def tables(self) -> list[str]: ...

    def version(self, table: str) -> str: ...

    def query(self, sql: str) -> pa.Table: ...

    def execute(self, sql: str) -> None: ...

    def drop(self, table: str) -> None:
        """Remove a table, if it is there; those that are dropped go in the order of the calls."""

    def append(
        self, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], key: str
    ) -> None:
        """Add rows, making the table and any column that it lacks.

        SchemaMismatch where a column of that name has another type. The key (letters and digits)
        stands for just these rows: where a change that was cut short could not be undone, they are
        left out when it is made again.
        """


class Warehouse(Protocol):
    def tables(self) -> list[str]:
        """The names of all tables, sorted."""

    def version(self, table: str) -> str:
        """The version of a table, read cheaply; SourceMissing where there is no such table."""

    def snapshot(self, table: str) -> AbstractContextManager[Snapshot]:
        """A table pinned at its current version; SourceMissing where there is none."""

    def change(self) -> AbstractContextManager[Change]:
        """Change tables together; WarehouseBusy while another change is made.

        Where one file holds the warehouse, readers see all of a change or nothing, and a block
        that raises leaves no trace.
        """


def connect(url: str, say: Callable[[str], object] = log.info) -> Warehouse:
    """The warehouse of a URL: duckdb:///folder or databricks://host/catalog/schema?http_path=...

    `say` is told what takes long.
    """
    # Only its users need a driver.
    match urlsplit(url).scheme:
        case "duckdb":
            from .duckdb import DuckDB

            return DuckDB(urlsplit(url).path)
        case "databricks" | "databricks+http":
            from .databricks import Databricks

            return Databricks(url, say)
    raise WarehouseError(
        f"{url!r} is not a warehouse.",
        advice="Set WAREHOUSE_URL to duckdb:///folder, or as docs/databricks.md says.",
    )


def missing(table: str, tables: Sequence[str]) -> SourceMissing:
    has = f"It has {', '.join(tables)}." if tables else "It is empty."
    return SourceMissing(
        f"The warehouse has no table {table}.",
        advice=f"{has} Run `manage.py ingest` and `manage.py broker` first.",
    )
