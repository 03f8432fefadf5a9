"""The interface of a warehouse, in which source tables are built, and `connect` to open one.

`duckdb.py` implements it for the embedded warehouse, `databricks.py` for Databricks, `spark.py` for
Spark. No code outside this package depends on one of them.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pyarrow as pa

from transfers.exceptions import SourceMissing, WarehouseError
from transfers.figures import Figures

log = logging.getLogger(__name__)

# Large enough for fast columnar processing; at most six batches are in memory: as they are read,
# encoded and sent.
BATCH_ROWS = 16_384
# Hosts to which a token may go without TLS.
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class OtherType(pa.ExtensionType):
    """A type of a warehouse whose values no column of a mirrored table can hold, by its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(pa.string(), "airsense.other_type")

    def __str__(self) -> str:
        return self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __arrow_ext_serialize__(self) -> bytes:
        return self.name.encode()

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: pa.DataType, name: bytes) -> "OtherType":
        return cls(name.decode())


class Snapshot(Protocol):
    """One version of one table. It stays readable while others change the warehouse."""

    @property
    def version(self) -> str:
        """Identifies the table's content: it changes exactly when the table changes."""

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def rows(self) -> int: ...

    @property
    def notes(self) -> Sequence[str]:
        """Remarks for people about how the table is read."""

    def batches(
        self, columns: Sequence[str], order: Sequence[str], after: tuple[str, Any] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows, about `BATCH_ROWS` at a time. Columns have the warehouse's spelling.

        The rows are sorted by `order` ("-" before a name: descending), then by all columns; nulls
        sort as the greatest value, as in PostgreSQL. `after` is a column and a value: only rows
        with a greater value are included.
        """

    def changes(
        self, columns: Sequence[str], key: Sequence[str], since: str
    ) -> Iterator[pa.RecordBatch]:
        """Yield the row of each key that changed since version `since`.

        The columns are `columns`, then `is_deleted`. WarehouseError if the warehouse has no record
        of the changes.
        """

    def figures(self, schema: pa.Schema, columns: Sequence[str]) -> Figures:
        """Compute in the warehouse, by SQL, the figures that `load.verification` compares.

        `columns` are the warehouse's names for the schema's fields, in the same order.
        """

    def query(self, sql: str) -> pa.Table:
        """Run a query in Databricks' dialect, in which `{source}` stands for this version."""

    def comments(self) -> dict[str, str]:
        """Return the warehouse's comment on each column, by column name."""


class Change(Protocol):
    """A change of the warehouse in progress. Its SQL is in Databricks' dialect.

    Dropped tables and appended rows may stay as they were until `flush`, or until the `with` block
    ends.
    """

    def tables(self) -> list[str]: ...

    def version(self, table: str) -> str: ...

    def query(self, sql: str) -> pa.Table: ...

    def execute(self, sql: str) -> None: ...

    def replace(self, table: str, condition: str, query: str) -> None:
        """Replace the rows that meet a condition by those of a query, in one step."""

    def drop(self, table: str) -> None:
        """Drop a table if it exists. Tables are dropped in the order of the calls."""

    def flush(self) -> None:
        """Make dropped tables and appended rows visible to the statements that follow."""

    def append(
        self, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], key: str
    ) -> None:
        """Append rows; create the table and missing columns first.

        SchemaMismatch if an existing column has another type. `key` (letters and digits) identifies
        the rows: if an interrupted change could not be rolled back and is repeated, rows whose key
        was already appended are skipped.
        """


class Warehouse(Protocol):
    """A set of tables, each of which has versions."""

    def tables(self) -> list[str]:
        """Return the names of all tables, sorted."""

    def version(self, table: str) -> str:
        """Return the current version of a table, at little cost; SourceMissing if it is missing."""

    def snapshot(
        self, table: str, json: Collection[str] = (), *, pinned: bool = True
    ) -> AbstractContextManager[Snapshot]:
        """Open a table at its current version; SourceMissing if it does not exist.

        The name can have a schema and a catalog, and backticks around its parts; the embedded
        warehouse, which has neither, uses its last part. The columns in `json` are read as JSON
        texts if their values are not texts already. `pinned=False`: it can be a view or another
        table without versions.
        """

    def change(self) -> AbstractContextManager[Change]:
        """Change several tables in a `with` block; WarehouseBusy if another change is running.

        In the embedded warehouse the change is atomic: readers see all of it or nothing, and an
        exception in the block rolls it back.
        """


def sort_keys(order: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Return the order of `Snapshot.batches`, in which a column that is in `order` has one place.

    To sort 2.4 million flights by four columns twice takes DuckDB a quarter longer.
    """
    first = {name.removeprefix("-") for name in order}
    return [*order, *(name for name in columns if name not in first)]


def connect(url: str, notify: Callable[[str], object] = log.info) -> Warehouse:
    """Connect to duckdb:///folder, databricks://host/catalog/schema?http_path=... or
    spark://host:port/catalog/schema.

    `notify` gets a message when the connection has to wait. WarehouseError if the URL is invalid.
    """
    # Import here, so that only the driver in use takes memory.
    match urlsplit(url).scheme:
        case "duckdb":
            from .duckdb import DuckDB

            return DuckDB(urlsplit(url).path)
        case "databricks" | "databricks+http":
            from .databricks import Databricks

            return Databricks(url, notify)
        case "spark":
            from .spark import Spark

            return Spark(url, notify)
    raise WarehouseError(
        f"{url!r} is not the URL of a warehouse.",
        advice="Set WAREHOUSE_URL to duckdb:///folder, or as described in docs/databricks.md or"
        " docs/spark.md.",
    )


def bad_url(problem: str, advice: str) -> WarehouseError:
    return WarehouseError(f"{problem}.", advice=f"{advice}.")


def file_of(url: str) -> Path | None:
    """Return the one file of the embedded warehouse, which may not exist yet; None for others."""
    if urlsplit(url).scheme != "duckdb":
        return None
    from .duckdb import DuckDB

    return DuckDB(urlsplit(url).path).file


def missing(table: str, tables: Sequence[str]) -> SourceMissing:
    """Return the error for a missing table, which names the existing `tables`."""
    existing = f"It has {', '.join(tables)}." if tables else "It is empty."
    return SourceMissing(
        f"The warehouse has no table {table}.",
        advice=f"{existing} Run `manage.py ingest` and `manage.py broker` first.",
    )


def schema(change: Change, table: str) -> pa.Schema:
    """Return the columns of a table and their types."""
    return change.query(f"SELECT * FROM {table} LIMIT 0").schema  # noqa: S608  # our own names


def count(change: Change, table: str) -> int:
    """Return the number of rows of a table."""
    return int(change.query(f"SELECT count(*) AS n FROM {table}")["n"][0].as_py())  # noqa: S608
