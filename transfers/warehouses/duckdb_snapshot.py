"""One table of the embedded warehouse that does not change: its rows and figures."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from flights import tracing
from transfers.exceptions import WarehouseError
from transfers.figures import Figures
from transfers.identifiers import quoted

from . import BATCH_ROWS, duckdb_sql, sort_keys
from .duckdb_figures import DIALECT
from .duckdb_file import MEMORY_MB
from .duckdb_parts import parts

# MB. DuckDB keeps what it read of the file, up to its limit. A snapshot begins with less than
# `MEMORY_MB`, so that a transfer takes about 300 MB in total. It gets more if a row is long,
# because DuckDB works on some thousand rows at a time, and if a query needs more.
READING_MB, COLUMN_MB = 40, 1
LONG_ROW = 4 << 10  # bytes of text


class Snapshot:
    """One table of the file that was current on opening. Implements `warehouses.Snapshot`."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, json: Collection[str] = ()
    ) -> None:
        self._connection, self._table = connection, quoted(table)
        self._name, self.notes = table, list[str]()
        self.version = duckdb_sql.version(connection, table)
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
        json_names = {name.lower() for name in json}
        columns = self._query(f"FROM {self._table} LIMIT 0").schema
        names = [
            quoted(f.name)
            for f in columns
            if f.name.lower() in json_names and not pa.types.is_string(f.type)
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
        sort = ", ".join(map(duckdb_sql.sorting, sort_keys(order, columns)))
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
        return self._query(duckdb_sql.translate(sql.replace("{source}", f"`{self._name}`"))[0])


@contextmanager
def _one_thread(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Sort in one thread: it takes less memory, and is still faster than PostgreSQL reads rows."""
    connection.execute("SET threads = 1")
    try:
        yield
    finally:
        connection.execute("RESET threads")
