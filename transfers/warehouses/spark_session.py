"""Sessions of a Spark Connect server: run statements, and run queries again if they fail.

The driver speaks Spark Connect's protocol in this process, without a JVM:
https://spark.apache.org/docs/latest/spark-connect-overview.html
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from typing import Any, Self

import pyarrow as pa
from django.conf import settings

from flights import tracing

from . import retrying, spark_settings
from .spark_address import Address
from .spark_failures import CAUGHT, translated

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    # Times before 1900 are written as they are, in Parquet's own type.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
}


class Session:
    """Runs statements. A context manager, for use in one thread."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._connection: Any = None

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def run(self, statement: str) -> pa.Table:
        """Run a query, again if the connection fails, and return its whole, small result."""
        return pa.concat_tables(map(_table, self._read(statement, None, is_ordered=False)))

    def execute(self, statement: str, values: list[Any] | None = None) -> None:
        """Run a statement once, because a second run may not have the same result."""
        for _ in self._once(statement, values):
            pass

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

        `values` may have the value of one parameter. `is_ordered`: a second run of the query has
        the same rows at the same places, so a read that breaks continues where it stopped.
        """
        params = list(values.values()) if values else None
        for name in values or ():
            query = query.replace(f":{name}", "?")
        for batch in self._read(query, params, is_ordered=is_ordered):
            if batch.num_rows:
                with translated(self.address):
                    table = _table(batch).cast(schema)
                yield from table.to_batches()

    def _read(
        self, query: str, values: list[Any] | None, *, is_ordered: bool
    ) -> Iterator[pa.RecordBatch]:
        run = partial(self._once, values=values)
        return retrying.read(query, run, self._reconnect, is_ordered=is_ordered)

    def _reconnect(self) -> None:
        self._close()
        self._open()

    def _once(self, statement: str, values: list[Any] | None) -> Iterator[pa.RecordBatch]:
        """Yield the batches of a result; the first one even if it has no rows."""
        span = tracing.leaf("spark query", **tracing.sent("spark", statement))
        with span, translated(self.address), closing(self._connection.cursor()) as cursor:
            cursor.execute(statement, values and [_param(value) for value in values])
            reader = cursor.fetch_record_batch()
            yield pa.RecordBatch.from_pylist([], reader.schema)
            yield from reader

    def _open(self) -> None:
        # Import here: the library is loaded by the first connection.
        from adbc_driver_spark import DatabaseOptions, dbapi

        options = {
            DatabaseOptions.TLS_ENABLED.value: str(self.address.tls).lower(),
            DatabaseOptions.USER_AGENT.value: "AirSense",
        }
        if settings.SPARK_TOKEN:
            options[DatabaseOptions.TOKEN.value] = settings.SPARK_TOKEN
        with translated(self.address):
            self._connection = dbapi.connect(self.address.uri, options)
        try:
            self._prepare()
        except BaseException:
            self._close()
            raise

    def _prepare(self) -> None:
        for name, value in SETTINGS.items():
            self.execute(f"SET {name} = {value}")
        self.execute(f"USE {self.address.namespace}")

    def check(self) -> None:
        """Check the settings of the session, and that the engine computes floats exactly."""
        (row,) = self.run(spark_settings.QUERY).to_pylist()
        spark_settings.check(row)

    def _close(self) -> None:
        with suppress(*CAUGHT):  # a lost connection cannot be closed
            self._connection.close()


def _table(batch: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([batch])


def _param(value: Any) -> Any:
    """Return a value for the driver, which takes instants without a zone for those of UTC."""
    return value.isoformat(" ") if isinstance(value, datetime) else value
