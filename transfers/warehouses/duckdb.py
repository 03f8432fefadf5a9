"""The embedded warehouse: a folder with one DuckDB file.

A writer changes a copy of the file (a draft), which then replaces the file. So readers continue to
read the file that they opened, and a killed writer leaves only a draft, which the next one removes.
"""

import fcntl
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from flights import durable, tracing
from transfers.exceptions import SchemaMismatch, WarehouseBusy, WarehouseError
from transfers.figures import Dialect, Figures
from transfers.identifiers import quoted

from . import BATCH_ROWS, missing, sort_keys
from .duckdb_parts import parts
from .spark_sql import parts as parts_of

DIALECT = Dialect(
    canonical={
        "integer": "CAST({} AS VARCHAR)",
        "decimal": "CAST({} AS VARCHAR)",
        "float": "CASE WHEN isnan({0}) THEN 'NaN' WHEN {0} = 0 THEN '0'"
        " ELSE CAST(CAST(CAST({0} AS DOUBLE) AS BIT) AS VARCHAR) END",
        "text": "length({0}) || ':' || {0}",
        "boolean": "CAST(CAST({} AS INTEGER) AS VARCHAR)",
        "date": "CAST({} - DATE '1970-01-01' AS VARCHAR)",
        "timestamp": "CAST(epoch_us({}) AS VARCHAR)",
        "binary": "lower(hex({}))",
    },
    row_hash="CAST('0x' || substr(md5({}), 1, 15) AS BIGINT)",
    limit="{0}(CAST({1} AS VARCHAR) COLLATE C)",  # by bytes, whatever the collation of the column
    finite="isfinite({})",
    # DuckDB writes .5 for 0.5 if the type has no digit before the point.
    fraction=r"regexp_replace(CAST({0} AS VARCHAR), '^(-?)\.', '\10.')",
)

# MB. Beyond its limit DuckDB spills to disk; up to the limit it keeps what it read of the file.
# A snapshot begins with less, so that a transfer takes about 300 MB in total. It gets more if a
# row is long, because DuckDB works on some thousand rows at a time, and if a query needs more.
MEMORY_MB, READING_MB, COLUMN_MB = 1024, 40, 1
LONG_ROW = 4 << 10  # bytes of text
OFFLINE = {"autoinstall_known_extensions": "false"}  # the wheel includes all extensions in use

DRAFT, SCRATCH = "next-", "scratch-"
SCRATCH_AGE = 60  # seconds; a live process locks its new scratch folder much sooner


class DuckDB:
    """The warehouse in a folder, which the first change creates. Implements `Warehouse`."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.file = self.folder / "warehouse.duckdb"

    def tables(self) -> list[str]:
        if not self._exists():
            return []
        with _open(self.file) as connection:
            return _tables(connection)

    def version(self, table: str) -> str:
        if not self._exists():
            raise missing(table, [])
        with _open(self.file) as connection:
            return _version(connection, table)

    @contextmanager
    def snapshot(
        self, table: str, json: Collection[str] = (), *, pinned: bool = True
    ) -> Iterator["Snapshot"]:
        if not self._exists():
            raise missing(table, [])
        with _open(self.file) as connection:
            yield Snapshot(connection, parts_of(table)[-1], json)

    @contextmanager
    def change(self) -> Iterator["Change"]:
        with _folder_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        with _folder_errors(self.folder), _locked(self.folder):
            _sweep(self.folder)
            draft = self.folder / f"{DRAFT}{uuid.uuid4().hex}.duckdb"
            try:
                if self.file.exists():
                    shutil.copyfile(self.file, draft)
                with _open(draft, "READ_WRITE") as connection:
                    change = Change(connection)
                    yield change
                    change.finish()
                if change.changed:
                    _replace(self.file, draft)
            finally:
                _sweep(self.folder)

    def _exists(self) -> bool:
        with _folder_errors(self.folder):
            return self.file.exists()


class Snapshot:
    """One table of the file that was current on opening. Implements `Snapshot`."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, json: Collection[str] = ()
    ) -> None:
        self._connection, self._table = connection, quoted(table)
        self._name, self.notes = table, list[str]()
        self.version = _version(connection, table)
        if json := self._not_texts(json):
            self._table = f"(SELECT * REPLACE ({', '.join(json)}) FROM {self._table})"  # noqa: S608
        self.schema = self._query(f"FROM {self._table} LIMIT 0").schema
        self.rows: int = self._query(f"SELECT count(*) FROM {self._table}")[0][0].as_py()  # noqa: S608  # quoted
        self._limit_memory()

    def comments(self) -> dict[str, str]:
        sql = "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ?"
        comments = self._connection.execute(sql, [self._name]).fetchall()
        return {column: comment for column, comment in comments if comment}

    def _not_texts(self, json: Collection[str]) -> list[str]:
        """The expressions of the columns to read as JSON that are not texts already."""
        wanted = {name.lower() for name in json}
        columns = self._query(f"FROM {self._table} LIMIT 0").schema
        names = [
            quoted(f.name)
            for f in columns
            if f.name.lower() in wanted and not pa.types.is_string(f.type)
        ]
        return [f"CAST(to_json({name}) AS VARCHAR) AS {name}" for name in names]

    def _limit_memory(self) -> None:
        """Lower the limit of memory, unless the table has bytes or long texts."""
        texts = [f.name for f in self.schema if pa.types.is_string(f.type)]
        sizes = " + ".join(f"coalesce(strlen({quoted(name)}), 0)" for name in texts) or "0"
        self._set_limit(max(READING_MB, COLUMN_MB * len(self.schema)))
        longest = self._query(f"SELECT max({sizes}) FROM {self._table}")[0][0].as_py() or 0  # noqa: S608  # quoted
        if longest >= LONG_ROW or any(map(pa.types.is_binary, self.schema.types)):
            self._set_limit(MEMORY_MB)

    def _within_limit[T](self, run: Callable[[], T]) -> T:
        """Return the result of a query; run it again with twice the memory if it needs more."""
        while True:
            try:
                return run()
            except duckdb.OutOfMemoryException:
                if self._limit >= MEMORY_MB:
                    raise
                self._set_limit(min(2 * self._limit, MEMORY_MB))

    def _set_limit(self, megabytes: int) -> None:
        self._limit = megabytes
        self._connection.execute(f"SET memory_limit = '{megabytes}MB'")

    def _query(self, sql: str) -> pa.Table:
        def run() -> pa.Table:
            return self._within_limit(self._connection.sql(sql).to_arrow_table)

        return tracing.query("duckdb", sql, run)

    def batches(
        self, columns: Sequence[str], order: Sequence[str], after: tuple[str, Any] | None = None
    ) -> Iterator[pa.RecordBatch]:
        names = ", ".join(map(quoted, columns))
        sort = ", ".join(map(_sorting, sort_keys(order, columns)))
        newer = f"{quoted(after[0])} > $after" if after else "true"
        # Use a separate connection: another query on the same one would end this stream.
        with self._connection.cursor() as cursor, _one_thread(cursor):
            cursor.execute("USE warehouse")
            for part, bounds in parts(cursor, self._table, self.rows, [*order, *columns][0]):
                where = f"{newer} AND {part}"
                sql = f"SELECT {names} FROM {self._table} WHERE {where} ORDER BY {sort}"  # noqa: S608  # quoted
                values = {**bounds, "after": after[1]} if after else bounds
                rows = cursor.sql(sql, params=values or None)
                with tracing.leaf("duckdb query", **tracing.sent("duckdb", sql)):
                    yield from self._within_limit(partial(rows.to_arrow_reader, BATCH_ROWS))

    def changes(
        self, columns: Sequence[str], key: Sequence[str], since: str
    ) -> Iterator[pa.RecordBatch]:
        raise WarehouseError("the embedded warehouse does not record changes.")

    def figures(self, schema: pa.Schema, columns: Sequence[str]) -> Figures:
        return DIALECT.figures(schema, columns, self._table, self._row)

    def _row(self, sql: str) -> list[str | None]:
        return [column[0].as_py() for column in self._query(sql).columns]

    def query(self, sql: str) -> pa.Table:
        return self._query(_translate(sql.replace("{source}", f"`{self._name}`"))[0])


class Change:
    """Changes tables in the draft of the file. Implements `Change`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.changed: set[str] = set()
        # Not a counter, which would repeat its values if the warehouse is created again.
        self._version = uuid.uuid4().hex

    def tables(self) -> list[str]:
        return _tables(self._connection)

    def version(self, table: str) -> str:
        return self._version if table in self.changed else _version(self._connection, table)

    def query(self, sql: str) -> pa.Table:
        native, _ = _translate(sql)
        return tracing.query(
            "duckdb", native, lambda: self._connection.sql(native).to_arrow_table()
        )

    def execute(self, sql: str) -> None:
        native, table = _translate(sql)
        assert table, "every statement that changes the warehouse names a table"
        tracing.query("duckdb", native, lambda: self._connection.execute(native))
        self.changed.add(table)

    def replace(self, table: str, condition: str, query: str) -> None:
        self.execute(f"DELETE FROM {table} WHERE {condition}")  # noqa: S608  # the broker's own
        self.execute(f"INSERT INTO {table} {query}")

    def flush(self) -> None:
        """Do nothing: every statement sees those before it."""

    def drop(self, table: str) -> None:
        self._connection.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
        self.changed.add(table)

    def append(
        self, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], key: str
    ) -> None:
        name, failures = quoted(table), list[Exception]()
        self._fit(table, schema)
        stream = pa.RecordBatchReader.from_batches(schema, _recorded(batches, failures))
        self._connection.register("incoming", stream)
        try:
            # One statement for all batches: one statement for each takes three times the memory in
            # a transaction, and three times the time without one.
            self._connection.execute(f"INSERT INTO {name} BY NAME FROM incoming")
        except duckdb.Error:
            if failures:  # DuckDB wraps them in an error of its own
                raise failures[0] from None
            raise
        finally:
            self._connection.unregister("incoming")
        self.changed.add(table)

    def finish(self) -> None:
        """Give changed tables a new version, and write everything into the one file."""
        run = self._connection.execute
        run("CREATE SCHEMA IF NOT EXISTS airsense")
        run("CREATE TABLE IF NOT EXISTS airsense.versions (name TEXT PRIMARY KEY, version TEXT)")
        for table in self.changed:
            run("INSERT OR REPLACE INTO airsense.versions VALUES (?, ?)", [table, self._version])
        run("CHECKPOINT")

    def _fit(self, table: str, schema: pa.Schema) -> None:
        """Create the table or its missing columns; SchemaMismatch if types differ."""
        name = quoted(table)
        self._connection.register("wanted", schema.empty_table())
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {name} AS FROM wanted")
        existing = {column.lower(): type_ for column, type_ in self._types(name).items()}
        for column, type_ in self._types("wanted").items():
            _check_type(table, column, type_, existing.get(column.lower(), type_))
            self._connection.execute(
                f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {quoted(column)} {type_}"
            )
        self._connection.unregister("wanted")

    def _types(self, name: str) -> dict[str, str]:
        return {row[0]: row[1] for row in self._connection.sql(f"DESCRIBE {name}").fetchall()}


@contextmanager
def _open(
    file: Path, mode: Literal["READ_ONLY", "READ_WRITE"] = "READ_ONLY"
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file by attaching it to a new in-memory database.

    To connect to the path would not do: while this process has a file open, DuckDB returns that
    file for its path, even after another file has replaced it.
    """
    with _scratch(file.parent) as scratch, _duckdb_errors():
        config: dict[str, Any] = {
            "memory_limit": f"{MEMORY_MB}MB",
            "temp_directory": scratch,
            **OFFLINE,
        }
        with duckdb.connect(":memory:", config=config) as connection:
            path = str(file).replace("'", "''")
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            connection.execute(f"ATTACH '{path}' AS warehouse ({mode})")
            connection.execute("USE warehouse")
            yield connection


@contextmanager
def _one_thread(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Sort in one thread: it takes less memory, and is still faster than PostgreSQL reads rows."""
    connection.execute("SET threads = 1")
    try:
        yield
    finally:
        connection.execute("RESET threads")


@contextmanager
def _scratch(folder: Path) -> Iterator[str]:
    """Create a folder for DuckDB's temporary files, locked so that `_sweep` leaves it alone."""
    with _folder_errors(folder):
        scratch = tempfile.TemporaryDirectory(prefix=SCRATCH, dir=folder)
    with scratch as path:
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield path
        finally:
            os.close(handle)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the writer's lock; WarehouseBusy if another process holds it."""
    with (folder / "writer.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WarehouseBusy(
                f"The warehouse in {folder} is being changed by another process.",
                advice="Try again when the other ingest or broker has finished.",
            ) from None
        yield


def _sweep(folder: Path) -> None:
    """Remove the drafts and scratch folders of killed processes. Only the writer calls this."""
    for draft in folder.glob(f"{DRAFT}*"):
        draft.unlink()
    for scratch in folder.glob(f"{SCRATCH}*"):
        with suppress(FileNotFoundError, BlockingIOError):
            if time.time() - scratch.stat().st_mtime > SCRATCH_AGE:
                _remove_unlocked(scratch)


def _remove_unlocked(scratch: Path) -> None:
    handle = os.open(scratch, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(scratch)
    finally:
        os.close(handle)


def _replace(file: Path, draft: Path) -> None:
    """Replace the file by the draft, and sync both to disk so that it survives a power failure."""
    durable.sync(draft)
    draft.replace(file)
    durable.sync(file.parent)


@contextmanager
def _folder_errors(folder: Path) -> Iterator[None]:
    """Report errors of the operating system as WarehouseError."""
    try:
        yield
    except OSError as error:
        raise WarehouseError(
            f"The warehouse's folder {folder} cannot be used: {error.strerror or error}.",
            advice="Check write permission and free disk space there, or set WAREHOUSE_URL.",
        ) from error


@contextmanager
def _duckdb_errors() -> Iterator[None]:
    """Report DuckDB's errors as WarehouseError, with the first line of the message."""
    try:
        yield
    except duckdb.Error as error:
        raise WarehouseError(f"The warehouse failed: {str(error).splitlines()[0]}") from error


def _recorded(
    batches: Iterable[pa.RecordBatch], failures: list[Exception]
) -> Iterator[pa.RecordBatch]:
    """Yield the batches; add the exception that ends them to `failures`."""
    try:
        yield from batches
    except Exception as error:
        failures.append(error)
        raise


def _check_type(table: str, column: str, new: str, old: str) -> None:
    if new != old:
        raise SchemaMismatch(f"column {column} is {new}, but {old} in {table}.")


@lru_cache(64)  # a build repeats the statements of the last one; to translate takes half its time
def _translate(sql: str) -> tuple[str, str]:
    """Return a Databricks statement in DuckDB's SQL, and the first table that it names or ""."""
    statement = sqlglot.parse_one(sql, read="databricks")
    table = statement.find(exp.Table)
    return statement.sql("duckdb", copy=False), table.name if table else ""


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    sql = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' ORDER BY ALL"
    return [name for (name,) in connection.sql(sql).fetchall()]


def _version(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    if table not in (tables := _tables(connection)):
        raise missing(table, tables)
    sql = "SELECT version FROM airsense.versions WHERE name = ?"
    ((version,),) = connection.execute(sql, [table]).fetchall()
    return str(version)


def _sorting(name: str) -> str:
    """Write one ORDER BY item ("-": descending), with nulls sorted as in PostgreSQL."""
    if name.startswith("-"):
        return f"{quoted(name[1:])} DESC NULLS FIRST"
    return f"{quoted(name)} ASC NULLS LAST"
