"""`COPY ... TO STDOUT` on connections of exports' own: no row becomes a Python object."""

import select
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Self

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

from flights.cost import FILES
from flights.versions import READER

from .places import place

CHUNK = 1 << 16  # bytes; PostgreSQL gives row by row


class Copying:
    """One export's connection; Unavailable where too many run."""

    def __enter__(self) -> Self:
        with ExitStack() as held:
            held.enter_context(place())
            # Not the thread's connection: that serves the next request while this streams.
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
        counted = f"SELECT count(*) FROM ({sql}) AS counted"  # noqa: S608  # Django wrote it
        self.cursor.execute(counted, values)
        return int(self.cursor.fetchone()[0])

    def rows(self, statement: str, values: Any) -> Iterator[bytes]:
        """Chunks of whole rows."""
        with self.connection.wrap_database_errors, self.cursor.copy(statement, values) as copy:
            yield from _chunks(copy.connection.pgconn)


def _chunks(pgconn: PGconn) -> Iterator[bytes]:
    """What `for row in copy` gives, for 40% of its time: libpq is asked without more around it."""
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
    """Raise what ended the rows, if that was an error."""
    while result := pgconn.get_result():
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)
