"""A session of a SQL warehouse on Databricks: opened when the warehouse is up, and again where it
was lost.

The connector's own retries are kept short where they are wrong: it would wait a minute for each
answer of 503, and send a statement again after a reset although the first may have been run. So
every statement that is sent here can be run twice.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any, Self
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
from django.conf import settings

from transfers.exceptions import WarehouseError, WarehouseStarting, WarehouseUnavailable

from . import BATCH_ROWS
from .databricks_connector import Connection
from .databricks_failures import CAUGHT, failure
from .databricks_login import Machine, Token, login

FORM = "databricks://HOST/CATALOG/SCHEMA?http_path=/sql/1.0/warehouses/ID"
VOLUME = "airsense"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}

ATTEMPTS = 3  # of a statement that nothing was handed on of yet
PAUSE = 1.0  # seconds before the next
STARTING_PAUSE = 1.0  # seconds between two looks at a warehouse that is starting

# Rows come in batches of about this size: one row can have megabytes, or a few bytes.
BATCH_BYTES = 32 << 20
FIRST_ROWS = 256
# Files of results in memory, each some 20 MB: one that is read and one that is fetched meanwhile.
DOWNLOADS = 2

PATIENT: dict[str, Any] = {
    "_retry_delay_min": 0.2,
    "_retry_delay_max": 5,  # seconds that it waits after each 503, whatever is asked for
    "_retry_stop_after_attempts_count": 5,
    "_retry_stop_after_attempts_duration": 60,
    "_socket_timeout": 180,  # its 900 s would let a lost connection look like a slow statement
}
# A warehouse that is starting answers 503, which is waited for here, where that can be said.
IMPATIENT = PATIENT | {
    "_retry_stop_after_attempts_count": 1,
    "_retry_stop_after_attempts_duration": 1,
}


@dataclass(frozen=True)
class Address:
    """What a WAREHOUSE_URL of Databricks names."""

    url: str  # https://HOST:PORT
    http_path: str
    catalog: str
    schema: str
    volume: str

    @classmethod
    def of(cls, url: str) -> Self:
        """WarehouseError where something is missing; the URL may hold no credentials."""
        parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
        names = parts.path.strip("/").split("/")
        unknown = sorted(query.keys() - {"http_path", "volume"})
        if parts.username or parts.password:
            raise _bad("WAREHOUSE_URL holds credentials", "Put them into DATABRICKS_TOKEN")
        if not parts.hostname or len(names) != 2 or not all(names) or "http_path" not in query:
            raise _bad(f"{url!r} is not of the form {FORM}", "Correct WAREHOUSE_URL")
        if unknown:
            raise _bad(f"WAREHOUSE_URL has {', '.join(unknown)}", "Give http_path and volume only")
        plain = parts.scheme == "databricks+http"
        if plain and parts.hostname not in LOOPBACK:
            raise _bad(f"{parts.hostname} would get the token in the clear", "Use databricks://")
        base = f"http{'' if plain else 's'}://{parts.hostname}:{parts.port or 443}"
        (path,), (volume,) = query["http_path"], query.get("volume", [VOLUME])
        return cls(base, path, names[0], names[1], volume)

    @property
    def host(self) -> str:
        return str(urlsplit(self.url).hostname)


class Access:
    """How sessions of one warehouse are opened. The first waits until the warehouse is up."""

    def __init__(self, address: Address, say: Callable[[str], object]) -> None:
        self.address, self._say = address, say
        self.login: Machine | Token = login(address.url)
        self._up = False

    def connect(self, *, again: bool = False) -> Connection:
        """A connection; where it comes `again`, the warehouse may have stopped meanwhile."""
        if again or not self._up:
            self._wait()
        return self._connect(PATIENT)

    def _wait(self) -> None:
        """WarehouseUnavailable where the warehouse does not start in time."""
        deadline, said = time.monotonic() + settings.WAREHOUSE_START_TIMEOUT, False
        self._up = False
        while not self._up:
            try:
                self._probe()
                self._up = True
            except WarehouseStarting as error:
                if time.monotonic() > deadline:
                    raise WarehouseUnavailable(
                        f"The warehouse did not start in {settings.WAREHOUSE_START_TIMEOUT} s.",
                        advice="Look at it in Databricks, or set WAREHOUSE_START_TIMEOUT higher.",
                    ) from error
                if not said:
                    self._say("waiting for the warehouse to start")
                said = True
                time.sleep(STARTING_PAUSE)

    def _probe(self) -> None:
        """WarehouseStarting while the warehouse is not up."""
        self.login.headers()  # says best what is wrong with the credentials
        with (
            reported(self.address),
            closed(self._connect(IMPATIENT)) as connection,
            closed(connection.cursor()) as cursor,
        ):
            cursor.execute("SELECT 1")  # some open a session before they are up

    def _connect(self, retries: dict[str, Any]) -> Connection:
        parts = urlsplit(self.address.url)
        where: dict[str, Any] = {"_port": parts.port}
        if parts.scheme == "http":
            where = {"_connection_uri": f"{self.address.url}{self.address.http_path}"}
        with reported(self.address):
            return Connection(
                server_hostname=self.address.host if parts.scheme == "https" else self.address.url,
                http_path=self.address.http_path,
                catalog=self.address.catalog,
                schema=self.address.schema,
                credentials_provider=self.login,
                session_configuration={"ANSI_MODE": "true", "TIMEZONE": "UTC"},
                user_agent_entry="AirSense",
                enable_telemetry=False,
                max_download_threads=DOWNLOADS,
                _tls_trusted_ca_file=settings.DATABRICKS_CA_FILE or None,
                _disable_pandas=True,
                **where,
                **retries,
            )


class Session:
    """Runs statements. Use it as a context manager, from one thread."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._connection: Any = None

    def __enter__(self) -> Self:
        self._connection = self._access.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def run(self, statement: str, file: IO[bytes] | None = None) -> pa.Table:
        """All of a small answer. A PUT statement sends `file`."""
        tables = list(self._read(statement, file))
        return pa.concat_tables([table for table in tables if table.num_rows] or tables[:1])

    def batches(
        self, statement: str, values: dict[str, Any] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a large answer, none of the batches empty."""
        for table in self._read(statement, values=values):
            yield from (batch for batch in table.to_batches() if batch.num_rows)

    def _read(
        self, statement: str, file: IO[bytes] | None = None, values: dict[str, Any] | None = None
    ) -> Iterator[pa.Table]:
        for attempt in range(1, ATTEMPTS + 1):
            handed_on = False
            try:
                for table in self._once(statement, file, values):
                    handed_on = True
                    yield table
                return
            except WarehouseUnavailable:
                if handed_on or attempt == ATTEMPTS:
                    raise
                time.sleep(PAUSE)
                self._close()
                self._connection = self._access.connect(again=True)

    def _once(
        self, statement: str, file: IO[bytes] | None, values: dict[str, Any] | None
    ) -> Iterator[pa.Table]:
        if file:
            file.seek(0)
        rows = FIRST_ROWS
        cursor = self._connection.cursor(arraysize=BATCH_ROWS, buffer_size_bytes=BATCH_BYTES)
        with reported(self._access.address), closed(cursor):
            cursor.execute(statement, values, input_stream=file)
            while True:
                table = _utc(cursor.fetchmany_arrow(rows))
                yield table
                if table.num_rows < rows:
                    return
                rows = min(2 * rows, BATCH_ROWS, 1 + BATCH_BYTES * table.num_rows // table.nbytes)

    def _close(self) -> None:
        with suppress(*CAUGHT):  # it may be lost, and then has ended already
            self._connection.close()


@contextmanager
def reported(address: Address) -> Iterator[None]:
    """Tell what the connector raises in our terms; the original may show signed links."""
    try:
        yield
    except CAUGHT as error:
        raise failure(error, address.host) from None


@contextmanager
def closed(thing: Any) -> Iterator[Any]:
    """A cursor or connection that is closed at the end, also where the server is gone."""
    try:
        yield thing
    finally:
        with suppress(*CAUGHT):
            thing.close()


def _utc(table: pa.Table) -> pa.Table:
    """Times with a zone as those of UTC, whatever the session calls it; no notes on columns."""
    fields = [
        pa.field(f.name, pa.timestamp("us", "UTC") if _has_zone(f.type) else f.type)
        for f in table.schema
    ]
    return table.cast(pa.schema(fields))


def _has_zone(type_: pa.DataType) -> bool:
    return pa.types.is_timestamp(type_) and type_.tz is not None


def _bad(problem: str, advice: str) -> WarehouseError:
    return WarehouseError(f"{problem}.", advice=f"{advice}.")
