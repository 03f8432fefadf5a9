"""SQL kept for each shape of query: what django-filter and Django make of all but its values.

A shape is a version, columns, an order and the names of filters; many queries differ in values
alone. A value is read by its filter's own field and prepared by its own lookup, as it would be
without this. Where SQL depends on a value nothing is kept, and a query goes the usual way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet, ValidationError
from django.db import connections
from django.db.models.lookups import Lookup

from . import cost, filters, query, versions
from .filters import Condition
from .mirror import MirroredTable
from .models import TableVersion
from .query import Query
from .versions import READER

# The 106-row table alone has thousands in use; the longest SQL is a few kB.
SHAPES = 4_096
BY_VALUE = ("in", "isnull")  # their SQL depends on the value


@dataclass(frozen=True)
class Given:
    """A filter's value on its way from text to a parameter of SQL."""

    name: str
    clean: Callable[[str], Any]
    lookup: Callable[[Any], "Lookup[Any]"]

    def parameters(self, text: str) -> list[Any]:
        prepared = self.lookup(self.clean(text))
        # No compiler is needed for a value that is no expression.
        _, found = prepared.process_rhs(None, connections[READER])  # type: ignore[arg-type]
        return list(found)


@dataclass(frozen=True)
class Compiled:
    sql: str
    given: list[Given]

    def parameters(self, texts: dict[str, str]) -> list[Any]:
        return [value for given in self.given for value in given.parameters(texts[given.name])]


def page(
    model: type[MirroredTable], asked: Query, version: TableVersion, parameters: dict[str, str]
) -> list[Any] | None:
    """A page of rows, and one row more where there is one; None where the usual way is to be gone.

    So is a value that its filter refuses, or of which Django knows that no row or every row has it.
    """
    kept = statement(model, asked, version, parameters)
    if kept is None:
        return None
    sql, values = kept
    sql, values = f"{sql} LIMIT %s OFFSET %s", [*values, asked.limit + 1, asked.offset]
    reader = connections[READER]
    with cost.slot(reader, sql, values, version), reader.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def statement(
    model: type[MirroredTable], asked: Query, version: TableVersion, parameters: dict[str, str]
) -> tuple[str, list[Any]] | None:
    """The SQL of all rows that a query asks for, and its values."""
    if asked.grouping or asked.by_cursor:
        return None
    wanted = (parameters.get("columns", ""), parameters.get("order_by", ""))
    compiled = _compiled(model, version, *wanted, tuple(filters.filters(parameters)))
    try:
        return (compiled.sql, compiled.parameters(parameters)) if compiled else None
    except (ValidationError, EmptyResultSet, FullResultSet):
        return None


@lru_cache(SHAPES)
def _compiled(
    model: type[MirroredTable],
    version: TableVersion,
    columns: str,
    order_by: str,
    names: tuple[str, ...],
) -> Compiled | None:
    """The SQL of a shape, found with a sample of each value; None where it would not fit others."""
    named = filters.filterset(model, dict.fromkeys(names, "")).base_filters
    if not all(isinstance(f, Condition) and f.lookup_expr not in BY_VALUE for f in named.values()):
        return None
    rows, given = versions.rows(model, version), []
    samples: list[Any] = []
    for name, condition in named.items():
        given.append(_given(name, condition))
        sample = filters.sample(condition.model_field)
        rows = condition.filter(rows, condition.field.clean(sample))
        samples += given[-1].parameters(sample)
    asked = query.read(model, {"columns": columns, "order_by": order_by})
    sql, parameters = asked.select(rows).query.get_compiler(READER).as_sql()
    same = list(parameters) == samples
    return Compiled(sql, given) if same else None


def _given(name: str, condition: Condition) -> Given:
    field = condition.model_field
    lookup, column = field.get_lookup(condition.lookup_expr), field.get_col("")
    assert lookup, f"{field} has no {condition.lookup_expr}"
    return Given(name, condition.field.clean, lambda value: lookup(column, value))
