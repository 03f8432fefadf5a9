"""CSV of a whole query, streamed as PostgreSQL writes it: no row becomes a Python object."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import StreamingHttpResponse

from .errors import Unavailable
from .mirror import public
from .models import TableVersion
from .query import Query
from .versions import READER

# Each export keeps a connection and a thread while its client reads: queries must find others.
EXPORTS_AT_ONCE = 4
LONGEST_EXPORT = "30min"
_slots = threading.BoundedSemaphore(EXPORTS_AT_ONCE)


def csv(
    asked: Query,
    rows: "models.QuerySet[Any]",
    version: TableVersion,
    last: int | None,
    headers: dict[str, str],
) -> StreamingHttpResponse:
    """The rows of a query from its offset to `last`, or to the end where that is None."""
    sql, values = asked.select(rows)[asked.offset : last].query.sql_with_params()
    stream = CopyOut(sql, values, [public(field) for field in asked.columns])
    response = StreamingHttpResponse(stream, content_type="text/csv; charset=utf-8")
    for name, value in headers.items():
        response[name] = value
    response["X-AirSense-Limit"] = "none" if last is None else str(asked.limit)
    response["Content-Disposition"] = f'attachment; filename="{version.relation}.csv"'
    return response


class CopyOut:
    """The chunks of one `COPY ... TO STDOUT`, begun at once so that a refusal is still a status."""

    def __init__(self, sql: str, values: Any, names: list[str]) -> None:
        self.held = ExitStack()
        if not _slots.acquire(blocking=False):
            raise Unavailable(f"{EXPORTS_AT_ONCE} exports are running. Try again in a moment.", 5)
        self.held.callback(_slots.release)
        try:
            self.chunks = self.begin(f"COPY ({sql}) TO STDOUT (FORMAT csv)", values)
        except BaseException:
            self.held.close()
            raise
        self.header = (",".join(map(_quoted, names)) + "\n").encode()

    def begin(self, statement: str, values: Any) -> Iterator[bytes]:
        # A connection of its own: the thread's one serves the next request while this streams.
        connection: BaseDatabaseWrapper = connections.create_connection(READER)
        connection.inc_thread_sharing()
        self.held.callback(connection.close)
        cursor = self.held.enter_context(connection.cursor())
        cursor.execute("SET statement_timeout = %s", [LONGEST_EXPORT])
        self.held.callback(cursor.execute, "RESET statement_timeout")
        copy = cursor.copy(statement, values)
        return iter(self.held.enter_context(copy))

    def __iter__(self) -> Iterator[bytes]:
        yield self.header
        for chunk in self.chunks:
            yield bytes(chunk)

    def close(self) -> None:
        self.held.close()


def _quoted(name: str) -> str:
    """A name as CSV has it; PostgreSQL quotes the rows."""
    return name if name.isidentifier() else '"' + name.replace('"', '""') + '"'
