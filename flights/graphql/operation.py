"""The state of a running operation: the versions it reads, its limits, and its time."""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLSkipDirective,
    get_directive_values,
)

from flights import versions
from flights.errors import BadQuery, NeverTransferred, Unavailable
from flights.mirror import MirroredTable
from flights.models import TableVersion

MAX_QUERIES = 10  # PostgreSQL queries of all fields of an operation together
MAX_VALUES = 100_000  # in all rows of an operation; the server writes them in about a second
# A value of the schema counts as 2 values. Tools read the whole schema, 24,000 values, in 0.2 s;
# MAX_VALUES allows 50,000, so that a query cannot repeat the schema many times.
SCHEMA_VALUE_COST = 2
# For the throttle, 10,000 values count as one request; REST writes them as JSON in 0.1 s.
VALUES_PER_REQUEST = 10_000


@dataclass
class Operation:
    """One run of an operation.

    All its fields read the same version of each table, and share the limits and the time.
    """

    versions: dict[str, TableVersion]  # the current version of each table, by table name
    versions_read: dict[str, TableVersion] = field(default_factory=dict)  # by table and number
    queries: int = 0
    values: int = 0
    deadline: float = field(
        default_factory=lambda: time.monotonic() + settings.GRAPHQL_TIMEOUT_MS / 1000
    )

    @classmethod
    def of(cls, models: Iterable[type[MirroredTable]]) -> "Operation":
        """Start an operation on the current versions of some tables.

        A table without a version is left out: only the fields that read it fail.
        """
        current = {}
        for model in models:
            with suppress(NeverTransferred):
                current[model._meta.db_table] = versions.current_cached(model)
        return cls(current, {str(version): version for version in current.values()})

    def version(self, model: type[MirroredTable], number: int | None = None) -> TableVersion:
        """Return the operation's version of a table, or the version that a cursor names.

        Raises NeverTransferred if the table has no version, and Gone if it lacks this number.
        """
        current = self.versions.get(model._meta.db_table)
        if current is None:
            raise NeverTransferred(model._meta.db_table)
        if number in (None, current.number):
            return current
        version = versions.by_number(model, int(number or 0))
        self.versions_read[str(version)] = version
        return version

    def start_query(self, values: int = 0) -> None:
        """Count a query of PostgreSQL and its maximum number of values; call this before it runs.

        Raises BadQuery if the operation exceeds a limit, and Unavailable if its time is over.
        """
        self.queries += 1
        if self.queries > MAX_QUERIES:
            raise BadQuery(
                f"An operation can run at most {MAX_QUERIES} queries. Split it into several"
                " operations."
            )
        self.add_values(values)
        self._limit_next_query()

    def add_values(self, values: int) -> None:
        """Count values; BadQuery if the operation has too many."""
        self.values += values
        if self.values > MAX_VALUES:
            raise BadQuery(
                f"An operation can read at most {MAX_VALUES:,} values (for each field, its limit"
                f" times the values selected per row; {SCHEMA_VALUE_COST} for each value of the"
                f" schema). Up to this field it reads {self.values:,}. Lower a limit."
            )

    def _limit_next_query(self) -> None:
        """Let PostgreSQL cancel the next query when the operation's time is over."""
        remaining = int((self.deadline - time.monotonic()) * 1000)
        if remaining <= 0:
            raise Unavailable(
                f"The operation took longer than {settings.GRAPHQL_TIMEOUT_MS:,} ms."
                " Select less, or lower a limit.",
                1,
            )
        timeout = min(remaining, settings.READER_TIMEOUT_MS)
        with connections[versions.READER].cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(timeout)])

    def end(self) -> None:
        """Restore the usual time limit of this thread's database connection."""
        if self.queries:
            # If the connection is lost, Django opens a new one, which has the usual limit.
            with (
                suppress(OperationalError, InterfaceError),
                connections[versions.READER].cursor() as cursor,
            ):
                cursor.execute("RESET statement_timeout")

    @property
    def requests(self) -> int:
        """The number of requests that the operation counts as for the throttle."""
        return max(1, self.queries, self.values // VALUES_PER_REQUEST)


def selected_fields(info: Any, nodes: Iterable[Any]) -> Iterator[FieldNode]:
    """Yield the fields selected in some nodes and their fragments, except skipped ones."""
    for node in nodes:
        for selection in node.selection_set.selections if node.selection_set else ():
            if not _included(info, selection):
                continue
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, FragmentSpreadNode):
                yield from selected_fields(info, [info.fragments[selection.name.value]])
            else:
                yield from selected_fields(info, [selection])


def fields_named(info: Any, nodes: Iterable[Any], name: str) -> list[FieldNode]:
    """Return the fields of this name that some nodes select."""
    return [node for node in selected_fields(info, nodes) if node.name.value == name]


def field_names(info: Any, nodes: Iterable[Any]) -> list[str]:
    """Return the distinct names of the fields that some nodes select, without `__typename`."""
    names = dict.fromkeys(node.name.value for node in selected_fields(info, nodes))
    return [name for name in names if not name.startswith("__")]


def value_count(info: Any, nodes: Iterable[Any]) -> int:
    """Count the values that some nodes select of one object; each alias of a field is a value."""
    fields = list(selected_fields(info, nodes))
    return len(fields) + sum(value_count(info, [node]) for node in fields)


def _included(info: Any, node: Any) -> bool:
    """Whether `@skip` and `@include` let a node be part of the response."""
    skip = get_directive_values(GraphQLSkipDirective, node, info.variable_values)
    include = get_directive_values(GraphQLIncludeDirective, node, info.variable_values)
    return not (skip and skip["if"]) and (include is None or bool(include["if"]))
