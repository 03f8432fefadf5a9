"""Read rows by `COPY ... TO STDOUT` on separate connections: no row becomes a Python object."""

import select
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Self

import psycopg
from django.db import OperationalError, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn
from rest_framework.exceptions import APIException

from flights.query.cost import FILES
from flights.versions import READER

from .slots import slot

CHUNK = 1 << 16  # bytes; PostgreSQL sends row by row
INTERVAL = 0.2  # seconds between two checks whether the file is still wanted


class Stopped(APIException):
    """The client has disconnected, or another process owns the export.

    No client reads this response. Its status is 408 because Django does not log client errors.
    """

    status_code = 408
    default_detail = "The client has gone."


class Copying:
    """A connection for one file; Unavailable if too many files are being read.

    Setting `unwanted` stops the reading within a second, even while PostgreSQL counts or sorts.
    """

    def __init__(self, unwanted: threading.Event | None = None) -> None:
        self.unwanted = unwanted or threading.Event()

    def __enter__(self) -> Self:
        with ExitStack() as held:
            held.enter_context(slot())
            # Not the thread's connection, which serves the next request while this file streams.
            connection: BaseDatabaseWrapper = connections.create_connection(READER)
            connection.inc_thread_sharing()
            held.callback(connection.close)
            self.connection = connection
            self.cursor = held.enter_context(connection.cursor())
            self.cursor.execute("SET statement_timeout = %s", [FILES.milliseconds])
            self.held = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.held.close()

    def count(self, rows: "models.QuerySet[Any]") -> int:
        sql, values = rows.query.sql_with_params()
        counted = f"COPY (SELECT count(*) FROM ({sql}) AS r) TO STDOUT"  # noqa: S608  # by Django
        return int(b"".join(self.rows(counted, values)))

    def rows(self, statement: str, values: Any) -> Iterator[bytes]:
        """Chunks of whole rows; Stopped once `unwanted` is set.

        All long statements go through here: those of every format, of the count and the digest.
        """
        try:
            with (
                self._cancelled_when_unwanted(),
                self.connection.wrap_database_errors,
                self.cursor.copy(statement, values) as copy,
            ):
                for chunk in _chunks(copy.connection.pgconn):
                    self.check()
                    yield chunk
        except OperationalError:
            self.check()
            raise

    def check(self) -> None:
        if self.unwanted.is_set():
            raise Stopped

    @contextmanager
    def _cancelled_when_unwanted(self) -> Iterator[None]:
        ended = threading.Event()
        watch = threading.Thread(target=self._watch, args=[ended], name="watch", daemon=True)
        watch.start()
        try:
            yield
        finally:
            ended.set()
            watch.join()

    def _watch(self, ended: threading.Event) -> None:
        """Cancel repeatedly, because cancelling does nothing before a statement has begun."""
        while not ended.wait(INTERVAL):
            if self.unwanted.is_set():
                with suppress(psycopg.Error):
                    self.connection.connection.cancel_safe(timeout=1)


def _chunks(pgconn: PGconn) -> Iterator[bytes]:
    """Read like `for row in copy`, but call libpq directly, which takes 40% of the time."""
    arrival = select.poll()
    arrival.register(pgconn.socket, select.POLLIN)
    chunk, size = bytearray(), 0
    while size >= 0:
        size, row = pgconn.get_copy_data(1)
        if size > 0:
            chunk += row
        elif size == 0:
            arrival.poll()
            pgconn.consume_input()
        if len(chunk) >= CHUNK:
            yield bytes(chunk)
            chunk.clear()
    _check(pgconn)
    if chunk:
        yield bytes(chunk)


def _check(pgconn: PGconn) -> None:
    """Raise the error that ended the rows, if any."""
    while result := pgconn.get_result():
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)
