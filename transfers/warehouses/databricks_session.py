"""Open sessions of a Databricks SQL warehouse, wait for it to start, and reconnect if it is lost.

The connector's own retries are limited: it would wait a minute at each 503 response. It also sends
a statement again after a connection reset, although the first may have run; so each statement that
the project sends has the same result if it runs twice.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, Self
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
from django.conf import settings

from flights import tracing
from transfers.exceptions import (
    WarehouseStarting,
    WarehouseUnavailable,
)

from . import BATCH_ROWS, bad_url, retrying, spark_settings
from .databricks_connector import Connection
from .databricks_failures import CAUGHT, failure
from .databricks_login import ServicePrincipal, Token, login

FORM = "databricks://HOST/CATALOG/SCHEMA?http_path=/sql/1.0/warehouses/ID"
VOLUME = "airsense"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}

POLL_SECONDS = 1.0  # between two checks whether the warehouse has started

# The target size of a batch. A row can have megabytes or a few bytes, so its row count adapts.
BATCH_BYTES = 32 << 20
FIRST_ROWS = 256
RESPONSE_ROWS = 65_536  # the most rows of a response without result files
# Compressed result files in memory, of about 20 MB each: one is read, the next is downloaded.
DOWNLOADS = 2

RETRIES: dict[str, Any] = {
    "_retry_delay_min": 0.2,
    "_retry_delay_max": 5,  # seconds; the connector waits as long after each 503
    "_retry_stop_after_attempts_count": 5,
    "_retry_stop_after_attempts_duration": 60,
    "_socket_timeout": 180,  # seconds; at the default of 900, a lost connection looks merely slow
}
# A starting warehouse responds with 503. `_wait` handles this, and notifies the user.
NO_RETRIES = RETRIES | {
    "_retry_stop_after_attempts_count": 1,
    "_retry_stop_after_attempts_duration": 1,
}


@dataclass(frozen=True)
class Address:
    """The parts of a WAREHOUSE_URL for Databricks."""

    url: str  # https://HOST:PORT
    http_path: str
    catalog: str
    schema: str
    volume: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Parse a URL; WarehouseError if it is incomplete or contains credentials."""
        parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
        names = parts.path.strip("/").split("/")
        unknown = sorted(query.keys() - {"http_path", "volume"})
        if parts.username or parts.password:
            raise bad_url("WAREHOUSE_URL contains credentials", "Put them into DATABRICKS_TOKEN")
        if not parts.hostname or len(names) != 2 or not all(names) or "http_path" not in query:
            raise bad_url(f"{url!r} is not of the form {FORM}", "Correct WAREHOUSE_URL")
        if unknown:
            problem = f"WAREHOUSE_URL has unknown parameters: {', '.join(unknown)}"
            raise bad_url(problem, "Use only http_path and volume")
        is_http = parts.scheme == "databricks+http"
        if is_http and parts.hostname not in LOOPBACK:
            raise bad_url(
                f"The token would travel to {parts.hostname} unencrypted", "Use databricks://"
            )
        base = f"http{'' if is_http else 's'}://{parts.hostname}:{parts.port or 443}"
        (path,), (volume,) = query["http_path"], query.get("volume", [VOLUME])
        return cls(base, path, names[0], names[1], volume)

    @property
    def host(self) -> str:
        return str(urlsplit(self.url).hostname)


class Access:
    """Opens connections to one warehouse. The first one waits until the warehouse has started."""

    def __init__(self, address: Address, notify: Callable[[str], object]) -> None:
        self.address, self._notify = address, notify
        self.login: ServicePrincipal | Token = login(address.url)
        self._up = False

    def connect(self, *, again: bool = False) -> Connection:
        """Connect; `again` after a lost connection, as the warehouse may have stopped since."""
        if again or not self._up:
            self._wait()
        return self._connect(RETRIES)

    def _wait(self) -> None:
        """Wait for the warehouse; WarehouseUnavailable after WAREHOUSE_START_TIMEOUT seconds."""
        deadline, notified = time.monotonic() + settings.WAREHOUSE_START_TIMEOUT, False
        self._up = False
        while not self._up:
            try:
                self._probe()
                self._up = True
            except WarehouseStarting as error:
                if time.monotonic() > deadline:
                    raise WarehouseUnavailable(
                        f"The warehouse did not start within {settings.WAREHOUSE_START_TIMEOUT} s.",
                        advice="Check it in Databricks, or raise WAREHOUSE_START_TIMEOUT.",
                    ) from error
                if not notified:
                    self._notify("waiting for the warehouse to start")
                notified = True
                time.sleep(POLL_SECONDS)

    def _probe(self) -> None:
        """Check the settings of a session; WarehouseStarting while the warehouse is starting."""
        self.login.headers()  # first, as it reports wrong credentials best
        with (
            translated(self.address),
            closing(self._connect(NO_RETRIES)) as connection,
            closing(connection.cursor()) as cursor,
        ):
            # A session may open before the warehouse is ready.
            cursor.execute(spark_settings.QUERY)
            (row,) = cursor.fetchall_arrow().to_pylist()
        spark_settings.check(row)

    def _connect(self, retries: dict[str, Any]) -> Connection:
        parts = urlsplit(self.address.url)
        target: dict[str, Any] = {"_port": parts.port}
        if parts.scheme == "http":
            target = {"_connection_uri": f"{self.address.url}{self.address.http_path}"}
        with translated(self.address):
            return Connection(
                server_hostname=self.address.host if parts.scheme == "https" else self.address.url,
                http_path=self.address.http_path,
                catalog=self.address.catalog,
                schema=self.address.schema,
                credentials_provider=self.login,
                session_configuration=spark_settings.DATABRICKS,
                user_agent_entry="AirSense",
                enable_telemetry=False,
                use_cloud_fetch=settings.DATABRICKS_CLOUDFETCH,
                max_download_threads=DOWNLOADS,
                _tls_trusted_ca_file=settings.DATABRICKS_CA_FILE or None,
                _disable_pandas=True,
                **target,
                **retries,
            )


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
        that breaks, even slowly because links expire, continues where it stopped.
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
        """Run a statement; run it again, or for the other rows, if the connection fails."""
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


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Translate the connector's exceptions, and hide the originals: they may show signed links."""
    try:
        yield
    except CAUGHT as error:
        raise failure(error, address.host) from None


@contextmanager
def closing(resource: Any) -> Iterator[Any]:
    """Close a cursor or connection at the end; ignore errors, as the server may be down."""
    try:
        yield resource
    finally:
        with suppress(*CAUGHT):
            resource.close()


def _utc(table: pa.Table) -> pa.Table:
    """Name the zone of timestamps "UTC", whatever the session names it; drop columns' metadata."""
    fields = [
        pa.field(f.name, pa.timestamp("us", "UTC") if _has_zone(f.type) else f.type)
        for f in table.schema
    ]
    return table.cast(pa.schema(fields))


def _has_zone(type_: pa.DataType) -> bool:
    return pa.types.is_timestamp(type_) and type_.tz is not None
