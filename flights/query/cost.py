"""Ask PostgreSQL's planner for the cost of a query of a large table, and limit costly queries.

A heavy query needs one of a few slots, a medium query one of a few others, a light query none. So
heavy queries never occupy all threads and cores. All web processes share the slots. A slot is an
advisory lock of the connection that runs the query, so it is released even if the process dies. A
query that cannot end within its time limit is refused.
"""

import itertools
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from flights import tracing
from flights.errors import BadQuery, Unavailable
from flights.models import TableVersion
from flights.versions import READER

from . import statements

LARGE = 10_000  # rows of a table; 50 conditions on each row of a smaller table take 0.1 s
# In the planner's units: at least a fifth of a second of a core, such as skipping 1.6M rows.
HEAVY = 50_000
# At least a twentieth of a second: many of these at once make light queries wait.
MEDIUM = 10_000
# Units of cost in a millisecond; 15 to 210 were measured for different queries.
UNITS_PER_MS = 400
# With a limit the planner assumes that matching rows are spread evenly and that it can stop early.
# That assumption is trusted up to this factor.
TRUSTED = 4
_NOTHING = nullcontext()
ADVICE = "Filter by a column with few rows for a value, group by fewer columns, or skip fewer rows."


# Time that a medium query waits for a slot. Other medium queries need a few tenths of a second.
PATIENCE = 1.0  # seconds
# Queries of a process that may wait for a slot; the other threads stay free for light queries.
_waiting = threading.BoundedSemaphore(2)


class Kind(NamedTuple):
    """A kind of query with slots of its own."""

    name: str
    lock: int  # PostgreSQL's number of the slots; no other code uses it
    milliseconds: int  # the time limit in PostgreSQL
    at_once: int
    least: int  # cost from which a query needs a slot
    patience: float = 0.0  # seconds that a query may wait for a slot


_SHORT, _LONG = settings.READER_TIMEOUT_MS, 30 * 60_000
QUERIES = Kind("large queries", 7_247_002, _SHORT, settings.HEAVY_AT_ONCE, HEAVY)
MEDIUM_QUERIES = Kind(
    "medium queries", 7_247_004, _SHORT, settings.MEDIUM_AT_ONCE, MEDIUM, PATIENCE
)
FILES = Kind("large files", 7_247_003, _LONG, settings.FILES_AT_ONCE, HEAVY)


def fetch(rows: "models.QuerySet[Any]", version: TableVersion) -> list[Any]:
    """Run a query within the limits of `slot`."""
    with bounded(rows, version), tracing.leaf("postgresql query"):
        return list(rows)


def fetch_sql(sql: str, values: list[Any], version: TableVersion) -> list[Any]:
    """Run a statement of the reader within the limits of `slot`; returns tuples.

    After a few uses on a connection PostgreSQL keeps the statement prepared. Django's own cursor
    writes the values into the SQL, which PostgreSQL then parses each time.
    """
    reader: Any = connections[READER]
    span = tracing.leaf("postgresql query", **tracing.sent("postgresql", sql))
    with slot(reader, sql, values, version), span:
        reader.ensure_connection()
        text = _numbered(sql)
        with reader.wrap_database_errors, _logged(reader, text, values):
            return statements.rows(reader.connection, text, values)


def _logged(reader: Any, text: str, values: list[Any]) -> AbstractContextManager[Any]:
    """Let Django log a statement, if it logs any."""
    if not reader.queries_logged:
        return _NOTHING
    context: AbstractContextManager[Any] = reader.make_debug_cursor(None).debug_sql(text, values)
    return context


@lru_cache(4_096)
def _numbered(sql: str) -> str:
    """A statement with PostgreSQL's own placeholders: `$1` instead of `%s`, and `%` for `%%`."""
    numbers = itertools.count(1)
    return re.sub("%[%s]", lambda match: "%" if match[0] == "%%" else f"${next(numbers)}", sql)


@contextmanager
def bounded(rows: "models.QuerySet[Any]", version: TableVersion) -> Iterator[None]:
    """Hold a slot, if the query needs one, while its rows are read. Raises like `slot`."""
    with ExitStack() as held:
        with suppress(EmptyResultSet):  # Django runs no SQL
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
    """Hold a slot while a statement reads a version, if it is heavy or medium.

    Raises BadQuery if the statement would take too long, and Unavailable if no slot is free.
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
    """The planner's cost of a statement. A cost of 1 is one page read sequentially.

    The reader's connections use no parallel workers, so the cost measures time as well as work.
    https://www.postgresql.org/docs/current/runtime-config-query.html
    """
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        plan = cursor.fetchone()[0][0]["Plan"]
    return _of(plan)


def _of(plan: dict[str, Any]) -> float:
    """The cost of a plan. A limit lowers it only as far as the rows could come late."""
    cost = float(plan["Total Cost"])
    if plan["Node Type"] != "Limit":
        return cost
    below = plan["Plans"][0]
    whole, how = float(below["Total Cost"]), json.dumps(below)
    # The planner has no statistics on parts of texts, or on groups by several columns.
    if "~~" in how or '"Aggregate"' in how:
        return whole
    return max(cost, whole / TRUSTED) if '"Filter"' in how else cost


def _take(connection: BaseDatabaseWrapper, kind: Kind) -> int:
    """Take a slot and return its number. Raises Unavailable if none is free."""
    number = _try(connection, kind)
    if number is None and kind.patience and _waiting.acquire(blocking=False):
        try:
            number = _wait(connection, kind)
        finally:
            _waiting.release()
    if number is None:
        raise Unavailable(
            f"{kind.at_once} {kind.name} are running, the most at the same time."
            f" Try again in a moment, or ask for less. {ADVICE}",
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
