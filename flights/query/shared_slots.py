"""Limit how many costly queries run at the same time.

A slot is an advisory lock of the connection that runs the query, so it is released even if the
process dies. All web processes share the slots.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from flights import lending
from flights.errors import Unavailable

# Planner's cost of at least 0.2 s of a core, such as skipping 1.6 million rows.
HEAVY = 50_000
# Planner's cost of at least 0.05 s of a core: many of these at once delay light queries.
MEDIUM = 10_000
ADVICE = "Filter by a value that few rows have, group by fewer columns, or lower the offset."
PATIENCE = 1.0  # seconds that a medium query waits for a slot; others take a few tenths
# Queries of a process that may wait for a slot; each occupies a thread and a connection.
_waiting = threading.BoundedSemaphore(2)


class Kind(NamedTuple):
    """A kind of query with slots of its own."""

    name: str
    lock: int  # first key of the slots' advisory locks; no other code uses it
    milliseconds: int  # PostgreSQL cancels a query after this time
    at_once: int  # number of slots
    least: int  # cost from which a query needs a slot
    patience: float = 0.0  # seconds that a query may wait for a slot


_SHORT, _LONG = settings.READER_TIMEOUT_MS, 30 * 60_000
QUERIES = Kind("large queries", 7_247_002, _SHORT, settings.HEAVY_AT_ONCE, HEAVY)
MEDIUM_QUERIES = Kind(
    "medium queries", 7_247_004, _SHORT, settings.MEDIUM_AT_ONCE, MEDIUM, PATIENCE
)
FILES = Kind("large files", 7_247_003, _LONG, settings.FILES_AT_ONCE, HEAVY)


@contextmanager
def hold(connection: BaseDatabaseWrapper, kind: Kind) -> Iterator[None]:
    """Hold a slot. Raises Unavailable if none is free."""
    number = _take(connection, kind)
    try:
        with lending.lent():
            yield
    finally:
        _release(connection, kind, number)


def _take(connection: BaseDatabaseWrapper, kind: Kind) -> int:
    """Take a slot and return its number."""
    number = _try(connection, kind)
    if number is None and kind.patience and _waiting.acquire(blocking=False):
        try:
            with lending.lent():
                number = _wait(connection, kind)
        finally:
            _waiting.release()
    if number is None:
        raise Unavailable(
            f"{kind.at_once} {kind.name} are running, which is the limit."
            f" Try again in a moment. {ADVICE}",
            1,
        )
    return number


def _wait(connection: BaseDatabaseWrapper, kind: Kind) -> int | None:
    """Poll for a slot until the deadline: other web servers hold slots, too."""
    deadline = time.monotonic() + kind.patience
    number = None
    while number is None and time.monotonic() < deadline:
        time.sleep(0.02)
        number = _try(connection, kind)
    return number


def _try(connection: BaseDatabaseWrapper, kind: Kind) -> int | None:
    free = "SELECT n FROM generate_series(1, %s) n WHERE pg_try_advisory_lock(%s, n) LIMIT 1"
    with connection.cursor() as cursor:
        cursor.execute(free, [kind.at_once, kind.lock])
        row = cursor.fetchone()
    return int(row[0]) if row else None


def _release(connection: BaseDatabaseWrapper, kind: Kind, number: int) -> None:
    if connection.connection is None or connection.connection.closed:
        return  # PostgreSQL released the locks with the connection
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [kind.lock, number])
