"""Read rows for files by PostgreSQL's `COPY ... TO STDOUT`.

Rows stay bytes and never become Python objects. Each file has a connection of its own.
"""

import select
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Self

import psycopg
from django.db import DataError, OperationalError, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn
from rest_framework.exceptions import APIException

from flights.finite import refusal
from flights.query.shared_slots import FILES
from flights.versions import READER

from .slots import slot

CHUNK = 1 << 16  # bytes; PostgreSQL sends single rows, which are joined to chunks
INTERVAL = 0.2  # seconds between two checks whether the reading is cancelled


class Stopped(APIException):
    """The reading was cancelled: the client disconnected, or this worker lost the export.

    No client reads this response. Its status is 408 because Django does not log client errors.
    """

    status_code = 408
    default_detail = "The client has disconnected."


class CopyReader:
    """Context manager: a slot and a connection to read the rows of one file.

    Raises Unavailable (503) on entering if no slot is free. When another thread sets the event
    `cancelled`, the reading stops within a second, even while PostgreSQL counts or sorts.
    """

    def __init__(self, cancelled: threading.Event | None = None) -> None:
        self.cancelled = cancelled or threading.Event()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(slot())
            # Not Django's connection of this thread: it serves other requests during the stream.
            connection: BaseDatabaseWrapper = connections.create_connection(READER)
            connection.inc_thread_sharing()
            stack.callback(connection.close)
            self.connection = connection
            self.cursor = stack.enter_context(connection.cursor())
            self.cursor.execute("SET statement_timeout = %s", [FILES.milliseconds])
            self._resources = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def count(self, rows: "models.QuerySet[Any]") -> int:
        """The number of rows of a query set; Stopped if `cancelled` is set meanwhile."""
        sql, values = rows.query.sql_with_params()
        statement = f"COPY (SELECT count(*) FROM ({sql}) AS r) TO STDOUT"  # noqa: S608  # by Django
        return int(b"".join(self.rows(statement, values)))

    def rows(self, statement: str, values: Any) -> Iterator[bytes]:
        """Run a COPY statement and return chunks of whole rows; Stopped once `cancelled` is set.

        All long statements run here, also counts, so that all of them can be cancelled.
        """
        try:
            with (
                self._watching(),
                self.connection.wrap_database_errors,
                self.cursor.copy(statement, values) as copy,
            ):
                for chunk in _chunks(copy.connection.pgconn):
                    self._stop_if_cancelled()
                    yield chunk
        except DataError as error:
            raise refusal(error) from error
        except OperationalError:
            self._stop_if_cancelled()
            raise

    def _stop_if_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Stopped

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Run a thread that cancels the statement of this block when `cancelled` is set."""
        ended = threading.Event()
        watch = threading.Thread(target=self._watch, args=[ended], name="watch", daemon=True)
        watch.start()
        try:
            yield
        finally:
            ended.set()
            watch.join()

    def _watch(self, ended: threading.Event) -> None:
        """Cancel repeatedly: a cancellation that arrives before the statement has no effect."""
        while not ended.wait(INTERVAL):
            if self.cancelled.is_set():
                with suppress(psycopg.Error):
                    self.connection.connection.cancel_safe(timeout=1)


def _chunks(pgconn: PGconn) -> Iterator[bytes]:
    """Read rows like psycopg's `for row in copy`, and join them to chunks of `CHUNK` bytes.

    It calls libpq directly, which takes 40% of psycopg's time.
    """
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN)
    chunk, size = bytearray(), 0
    while size >= 0:
        size, row = pgconn.get_copy_data(1)
        if size > 0:
            chunk += row
        elif size == 0:
            poll.poll()
            pgconn.consume_input()
        if len(chunk) >= CHUNK:
            yield bytes(chunk)
            chunk.clear()
    _raise_error(pgconn)
    if chunk:
        yield bytes(chunk)


def _raise_error(pgconn: PGconn) -> None:
    """Raise the error that ended the statement early, if there is one."""
    while result := pgconn.get_result():
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)
