"""What one operation reads: one version of each table, within the limits of all its fields."""

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

QUERIES = 10  # of PostgreSQL, for all fields together
VALUES = 100_000  # of all rows; they take about a second to write
# One value of the schema counts as so many: all 5,000 that a tool reads take 0.03 s, but anybody
# can repeat them. 20,000 of them are three times what a tool reads.
INTROSPECTED = 5
# The throttle counts one request for so many values; as JSON of REST they take a tenth of a second.
VALUES_PER_REQUEST = 10_000


@dataclass
class Operation:
    """One run of an operation."""

    versions: dict[str, TableVersion]  # by table
    read: dict[str, TableVersion] = field(default_factory=dict)  # by name, all that was stated
    queries: int = 0
    values: int = 0
    until: float = field(
        default_factory=lambda: time.monotonic() + settings.GRAPHQL_TIMEOUT_MS / 1000
    )

    @classmethod
    def of(cls, models: Iterable[type[MirroredTable]]) -> "Operation":
        """With the versions that are published now; a table without one fails where it is read."""
        found = {}
        for model in models:
            with suppress(NeverTransferred):
                found[model._meta.db_table] = versions.current_cached(model)
        return cls(found, {str(version): version for version in found.values()})

    def version(self, model: type[MirroredTable], number: int | None = None) -> TableVersion:
        """The operation's version of a table, or that which a cursor names."""
        current = self.versions.get(model._meta.db_table)
        if current is None:
            raise NeverTransferred(model._meta.db_table)
        if number in (None, current.number):
            return current
        version = versions.by_number(model, int(number or 0))
        self.read[str(version)] = version
        return version

    def spend(self, values: int = 0) -> None:
        """Before each query, with the most values that it can give."""
        self.queries += 1
        if self.queries > QUERIES:
            raise BadQuery(f"An operation has at most {QUERIES} queries. Send the rest in another.")
        self.add(values)
        self._limit_next_query()

    def add(self, values: int) -> None:
        """Count values; BadQuery where the operation has too many."""
        self.values += values
        if self.values > VALUES:
            raise BadQuery(
                f"An operation gives at most {VALUES:,} values (the limit of each field times what"
                f" is selected of a row, and {INTROSPECTED} for each value of the schema), and up"
                f" to here asks for {self.values:,}. Lower a limit."
            )

    def _limit_next_query(self) -> None:
        """PostgreSQL ends the next query when the operation's time is over."""
        left = int((self.until - time.monotonic()) * 1000)
        if left <= 0:
            raise Unavailable(
                f"The operation took longer than {settings.GRAPHQL_TIMEOUT_MS:,} ms. Ask for less.",
                1,
            )
        most = min(left, settings.READER_TIMEOUT_MS)
        with connections[versions.READER].cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(most)])

    def end(self) -> None:
        """Give this thread's connection its usual time limit again."""
        if self.queries:
            # A connection that was lost is replaced by one with the usual limit.
            with (
                suppress(OperationalError, InterfaceError),
                connections[versions.READER].cursor() as cursor,
            ):
                cursor.execute("RESET statement_timeout")

    @property
    def requests(self) -> int:
        """How many usual requests the operation is worth to the throttle."""
        return max(1, self.queries, self.values // VALUES_PER_REQUEST)


def selected(info: Any, nodes: Iterable[Any]) -> Iterator[FieldNode]:
    """The fields that are selected in some nodes, through fragments, without those skipped."""
    for node in nodes:
        for selection in node.selection_set.selections if node.selection_set else ():
            if not _included(info, selection):
                continue
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, FragmentSpreadNode):
                yield from selected(info, [info.fragments[selection.name.value]])
            else:
                yield from selected(info, [selection])


def named(info: Any, nodes: Iterable[Any], name: str) -> list[FieldNode]:
    return [node for node in selected(info, nodes) if node.name.value == name]


def size(info: Any, nodes: Iterable[Any]) -> int:
    """How many values each of some objects gives: an alias gives one more."""
    fields = list(selected(info, nodes))
    return len(fields) + sum(size(info, [node]) for node in fields)


def names(info: Any, nodes: Iterable[Any]) -> list[str]:
    """Which fields are selected, each once, but for those that every type has."""
    found = dict.fromkeys(node.name.value for node in selected(info, nodes))
    return [name for name in found if not name.startswith("__")]


def _included(info: Any, node: Any) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, node, info.variable_values)
    include = get_directive_values(GraphQLIncludeDirective, node, info.variable_values)
    return not (skip and skip["if"]) and (include is None or bool(include["if"]))
