"""What a query of a large table would cost PostgreSQL, asked of its planner before it is run.

A heavy query needs one of a few slots, which all web processes of a server share: advisory locks of
the connection that runs it, so that they end with it however it ends. What could not be done
within its time is refused.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from .errors import BadQuery, Unavailable
from .models import TableVersion

LARGE = 100_000  # rows of a table; a smaller one is read whole in 0.02 s
# Of the planner's units: a fifth of a second and more of a core, such as 1.6M rows skipped.
HEAVY = 50_000
# PostgreSQL did 15 to 210 of them in a millisecond, whatever was asked.
UNITS_PER_MS = 400
# The planner expects rows that a filter keeps to be spread evenly, and stops early for them.
TRUSTED = 4
WORKERS = re.compile(r'"Workers Planned": (\d+)')
ADVICE = "Filter by a column with few rows for a value, group by fewer columns, or skip fewer rows."


class Cost(NamedTuple):
    """In the planner's units: 1 is a page read in order."""

    time: float
    work: float  # the same of all processes that work at it


class Kind(NamedTuple):
    """Slots of their own: a file is sent for as long as its client reads, a query takes seconds."""

    name: str
    lock: int  # PostgreSQL's number of the slots; no other code uses it
    milliseconds: int  # that one may take before PostgreSQL ends it


QUERIES = Kind("queries", 7_247_002, settings.READER_TIMEOUT_MS)
FILES = Kind("files", 7_247_003, 30 * 60_000)


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
    """Hold a slot while a statement reads a version, if that is heavy.

    BadQuery where it would take too long, Unavailable where no slot is free.
    """
    if version.rows < LARGE:
        yield
        return
    cost = of(connection, sql, values)
    if cost.time > (most := kind.milliseconds * UNITS_PER_MS):
        raise BadQuery(
            f"This would read too much: the planner expects a cost of {cost.time:,.0f}, and at most"
            f" {most:,} are allowed. {ADVICE}"
        )
    if cost.work < HEAVY:
        yield
        return
    number = _take(connection, kind)
    try:
        yield
    finally:
        _release(connection, kind, number)


def of(connection: BaseDatabaseWrapper, sql: str, values: Any) -> Cost:
    """What the planner expects of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        plan = cursor.fetchone()[0][0]["Plan"]
    workers = max(map(int, WORKERS.findall(json.dumps(plan))), default=0)
    time = _time(plan)
    return Cost(time, time * (1 + workers))


def _time(plan: dict[str, Any]) -> float:
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
    """The number of a slot that is held from now on."""
    free = "SELECT n FROM generate_series(1, %s) n WHERE pg_try_advisory_lock(%s, n) LIMIT 1"
    with connection.cursor() as cursor:
        cursor.execute(free, [settings.HEAVY_AT_ONCE, kind.lock])
        found = cursor.fetchone()
    if found is None:
        raise Unavailable(
            f"{settings.HEAVY_AT_ONCE} large {kind.name} are being answered, as many as may be at"
            f" once. Try again in a moment, or ask for less. {ADVICE}",
            1,
        )
    return int(found[0])


def _release(connection: BaseDatabaseWrapper, kind: Kind, number: int) -> None:
    if connection.connection is None or connection.connection.closed:
        return  # its locks ended with it
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [kind.lock, number])
