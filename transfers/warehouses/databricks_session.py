"""Run statements of a Databricks SQL warehouse, and reconnect if the connection is lost.

The connector sends a statement again after a connection reset, although the first may have run; so
each statement that the project sends has the same result if it runs twice.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import IO, Any, Self

import pyarrow as pa

from flights import tracing

from . import BATCH_ROWS, retrying
from .databricks_access import Access, closing, translated
from .databricks_failures import CAUGHT

# The target size of a batch. A row can have megabytes or a few bytes, so its row count adapts.
BATCH_BYTES = 32 << 20
FIRST_ROWS = 256
RESPONSE_ROWS = 65_536  # the most rows of a response without result files


class Session:
    """Runs statements. A context manager, for use in one thread."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._connection: Any = None

    def __enter__(self) -> Self:
        self._connection = self._access.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def run(self, statement: str, file: IO[bytes] | None = None) -> pa.Table:
        """Run a statement and return its whole, small result. A PUT statement uploads `file`."""
        tables = list(self._read(statement, file=file))
        return pa.concat_tables([table for table in tables if table.num_rows] or tables[:1])

    def describe(self, query: str) -> list[dict[str, Any]]:
        """Return the columns of a query: `col_name`, `data_type` and `comment` of each."""
        return list(self.run(f"DESCRIBE QUERY {query}").to_pylist())

    def batches(
        self,
        query: str,
        schema: pa.Schema,
        values: Mapping[str, Any] | None = None,
        *,
        is_ordered: bool = False,
    ) -> Iterator[pa.RecordBatch]:
        """Run a query with a large result; yield its rows in batches that are not empty.

        `is_ordered`: a second run of the query has the same rows at the same places. Then a read
        that fails, for instance because its links expire, continues where it stopped.
        """
        for table in self._read(query, values=values, is_ordered=is_ordered):
            with translated(self._access.address):
                rows = table.cast(schema)
            yield from (batch for batch in rows.to_batches() if batch.num_rows)

    def _read(
        self,
        statement: str,
        *,
        file: IO[bytes] | None = None,
        values: Mapping[str, Any] | None = None,
        is_ordered: bool = False,
    ) -> Iterator[pa.Table]:
        """Run a statement. If the connection fails, repeat it or continue after the last row."""
        run = partial(self._once, file=file, values=values)
        return retrying.read(statement, run, self._reconnect, is_ordered=is_ordered)

    def _reconnect(self) -> None:
        self._close()
        self._connection = self._access.connect(again=True)

    def _once(
        self, statement: str, file: IO[bytes] | None, values: Mapping[str, Any] | None
    ) -> Iterator[pa.Table]:
        if file:
            file.seek(0)
        rows = FIRST_ROWS
        cursor = self._connection.cursor(arraysize=RESPONSE_ROWS, buffer_size_bytes=BATCH_BYTES)
        span = tracing.leaf("databricks query", **tracing.sent("databricks", statement))
        with span, translated(self._access.address), closing(cursor):
            cursor.execute(statement, values, input_stream=file)
            while True:
                table = _utc(cursor.fetchmany_arrow(rows))
                yield table
                if table.num_rows < rows:
                    return
                rows = min(2 * rows, BATCH_ROWS, 1 + BATCH_BYTES * table.num_rows // table.nbytes)

    def _close(self) -> None:
        with suppress(*CAUGHT):  # a lost connection cannot be closed
            self._connection.close()


def _utc(table: pa.Table) -> pa.Table:
    """Rename the timestamps' zone, such as "Etc/UTC", to "UTC"; drop the columns' metadata."""
    fields = [
        pa.field(f.name, pa.timestamp("us", "UTC") if _has_zone(f.type) else f.type)
        for f in table.schema
    ]
    return table.cast(pa.schema(fields))


def _has_zone(type_: pa.DataType) -> bool:
    return pa.types.is_timestamp(type_) and type_.tz is not None
