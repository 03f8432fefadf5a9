"""Limit costly queries of large tables, by the cost that PostgreSQL's planner estimates.

Heavy and medium queries each need one of a few slots, so that they never occupy all threads and
cores. Light queries need no slot. A query that would exceed its time limit is refused.
"""

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from functools import lru_cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from flights import tracing
from flights.errors import BadQuery
from flights.models import TableVersion
from flights.versions import READER

from . import shared_slots, statements

LARGE = 10_000  # rows of a table; 50 conditions on each row of a smaller table take 0.1 s
# Units of cost in a millisecond; 15 to 210 were measured for different queries.
UNITS_PER_MS = 400
# With a limit the planner assumes that matching rows are spread evenly and that it can stop early.
# The cost without the limit may be at most this many times as high.
TRUSTED = 4
_NOTHING = nullcontext()


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
    """Log a statement as Django does, if Django logs queries."""
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
    with ExitStack() as stack:
        with suppress(EmptyResultSet):  # Django runs no SQL
            if version.rows >= LARGE:
                sql, values = rows.query.get_compiler(rows.db).as_sql()
                stack.enter_context(slot(connections[rows.db], sql, values, version))
        yield


def slot(
    connection: BaseDatabaseWrapper,
    sql: str,
    values: Any,
    version: TableVersion,
    kind: shared_slots.Kind = shared_slots.QUERIES,
) -> AbstractContextManager[None]:
    """A slot to hold while a statement reads a version, if it is heavy or medium.

    Raises BadQuery if the statement would take too long, and Unavailable if no slot is free.
    """
    if version.rows < LARGE:
        return _NOTHING
    cost = of(connection, sql, values)
    if cost > (most := kind.milliseconds * UNITS_PER_MS):
        raise BadQuery(
            f"The query is too costly: PostgreSQL estimates a cost of {cost:,.0f}, and the limit is"
            f" {most:,}. {shared_slots.ADVICE}"
        )
    if kind is shared_slots.QUERIES and cost < kind.least:
        kind = shared_slots.MEDIUM_QUERIES
    return _NOTHING if cost < kind.least else shared_slots.hold(connection, kind)


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
    """The cost of a plan; with LIMIT, at least the cost of reading all rows, divided by TRUSTED."""
    cost = float(plan["Total Cost"])
    if plan["Node Type"] != "Limit":
        return cost
    below = plan["Plans"][0]
    whole, text = float(below["Total Cost"]), json.dumps(below)
    # The planner lacks statistics for LIKE (`~~`) and for groups by several columns.
    if "~~" in text or '"Aggregate"' in text:
        return whole
    return max(cost, whole / TRUSTED) if '"Filter"' in text else cost
