"""What a query of a large table would cost PostgreSQL, asked of its planner before it is run.

A heavy query needs one of a few slots, a medium one another of a few more, a light one none: heavy
queries never hold all threads and cores. All web processes of a server share the slots: advisory
locks of the connection that runs the query, so that they end with it however it ends. What could
not be done within its time is refused.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from flights.errors import BadQuery, Unavailable
from flights.models import TableVersion

LARGE = 10_000  # rows of a table; 50 conditions on each row of a smaller one take 0.1 s
# Of the planner's units: a fifth of a second and more of a core, such as 1.6M rows skipped.
HEAVY = 50_000
# A twentieth of a second and more: many of these at once make light queries wait.
MEDIUM = 10_000
# PostgreSQL did 15 to 210 of them in a millisecond, whatever was asked.
UNITS_PER_MS = 400
# The planner expects rows that a filter keeps to be spread evenly, and stops early for them.
TRUSTED = 4
ADVICE = "Filter by a column with few rows for a value, group by fewer columns, or skip fewer rows."


# A medium query waits that long for a slot, as those that hold one need a few tenths of a second.
PATIENCE = 1.0  # seconds
# Queries of a process that may wait: the other threads answer light ones.
_waiting = threading.BoundedSemaphore(2)


class Kind(NamedTuple):
    """Slots of their own: a file is sent for as long as its client reads, a query takes seconds."""

    name: str
    lock: int  # PostgreSQL's number of the slots; no other code uses it
    milliseconds: int  # that one may take before PostgreSQL ends it
    at_once: int
    least: int  # a query that costs less needs no slot
    patience: float = 0.0  # seconds that a query may wait for a slot


_SHORT, _LONG = settings.READER_TIMEOUT_MS, 30 * 60_000
QUERIES = Kind("large queries", 7_247_002, _SHORT, settings.HEAVY_AT_ONCE, HEAVY)
MEDIUM_QUERIES = Kind(
    "medium queries", 7_247_004, _SHORT, settings.MEDIUM_AT_ONCE, MEDIUM, PATIENCE
)
FILES = Kind("large files", 7_247_003, _LONG, settings.FILES_AT_ONCE, HEAVY)


def fetch(rows: "models.QuerySet[Any]", version: TableVersion) -> list[Any]:
    with bounded(rows, version):
        return list(rows)


@contextmanager
def bounded(rows: "models.QuerySet[Any]", version: TableVersion) -> Iterator[None]:
    """Hold a slot while rows of a version are read; see `slot`."""
    with ExitStack() as held:
        with suppress(EmptyResultSet):  # then nothing is asked
            if version.rows >= LARGE:
                sql, values = rows.query.get_compiler(rows.db).as_sql()
                held.enter_context(slot(connections[rows.db], sql, values, version))
        yield


@contextmanager
def slot(
    connection: BaseDatabaseWrapper,
    sql: str,
    values: Any,
    version: TableVersion,
    kind: Kind = QUERIES,
) -> Iterator[None]:
    """Hold a slot while a statement reads a version, if that is heavy or medium.

    BadQuery where it would take too long, Unavailable where no slot is free.
    """
    if version.rows < LARGE:
        yield
        return
    cost = of(connection, sql, values)
    if cost > (most := kind.milliseconds * UNITS_PER_MS):
        raise BadQuery(
            f"This would read too much: the planner expects a cost of {cost:,.0f}, and at most"
            f" {most:,} are allowed. {ADVICE}"
        )
    if kind is QUERIES and cost < kind.least:
        kind = MEDIUM_QUERIES
    if cost < kind.least:
        yield
        return
    number = _take(connection, kind)
    try:
        yield
    finally:
        _release(connection, kind, number)


def of(connection: BaseDatabaseWrapper, sql: str, values: Any) -> float:
    """What the planner expects of a statement, in its units: 1 is a page read in order.

    The reader's connections use one process for a query, so its time is its work.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        plan = cursor.fetchone()[0][0]["Plan"]
    return _of(plan)


def _of(plan: dict[str, Any]) -> float:
    """Where rows are limited, not less than it could be if those that are wanted came last."""
    cost = float(plan["Total Cost"])
    if plan["Node Type"] != "Limit":
        return cost
    below = plan["Plans"][0]
    whole, how = float(below["Total Cost"]), json.dumps(below)
    # Nothing is known of how many texts hold another, or how many groups there are of columns.
    if "~~" in how or '"Aggregate"' in how:
        return whole
    return max(cost, whole / TRUSTED) if '"Filter"' in how else cost


def _take(connection: BaseDatabaseWrapper, kind: Kind) -> int:
    """The number of a slot that this query holds from now on; Unavailable where none is free."""
    number = _try(connection, kind)
    if number is None and kind.patience and _waiting.acquire(blocking=False):
        try:
            number = _wait(connection, kind)
        finally:
            _waiting.release()
    if number is None:
        raise Unavailable(
            f"{kind.at_once} {kind.name} are being answered, as many as may be at once."
            f" Try again in a moment, or ask for less. {ADVICE}",
            1,
        )
    return number


def _wait(connection: BaseDatabaseWrapper, kind: Kind) -> int | None:
    """Try again and again: a slot is a lock of PostgreSQL, and other machines hold some."""
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
        return  # its locks ended with it
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [kind.lock, number])
