"""SQL kept in parts: what django-filter and Django make of all of a query but its values.

Columns, directions and filters are kept by their names, and joined as Django joins them: whole
statements would be too many. A value is read by its filter's own field and prepared by its own
lookup, as it would be without this. Where SQL depends on a value a query goes the usual way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet, ValidationError
from django.db import connections, models
from django.db.models import F
from django.db.models.lookups import Lookup

from flights import versions
from flights.mirror import MirroredTable
from flights.models import TableVersion
from flights.versions import READER

from . import cost, filters
from .filters import Condition
from .ordering import Direction
from .query import Query

KEPT = 4_096  # parts of each kind; none is longer than a few kB
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
class Filtered:
    """` FROM ... WHERE ...`, and whence its values come."""

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
    columns = _columns(model, version)
    filtered = _filtered(model, version, tuple(filters.filters(parameters)))
    if columns is None or filtered is None:
        return None
    try:
        values = filtered.parameters(parameters)
    except (ValidationError, EmptyResultSet, FullResultSet):
        return None
    names = [field.name for field in asked.columns]
    selected = ", ".join(f'{columns[name]} AS "{name}"' for name in names)
    order = ", ".join(_sorted(direction, names, columns) for direction in asked.order)
    return f"SELECT {selected}{filtered.sql} ORDER BY {order}", values


def _sorted(direction: Direction, selected: list[str], columns: dict[str, str]) -> str:
    """A column that is selected is named by its place."""
    name = direction.field.name
    column = str(selected.index(name) + 1) if name in selected else columns[name]
    return column + _way(direction)


@lru_cache(KEPT)
def _columns(model: type[MirroredTable], version: TableVersion) -> dict[str, str] | None:
    """SQL by names of fields; None where a column that the model gained has a value in it."""
    rows, found = versions.rows(model, version), {}
    for field in (*model.columns(), *model.sequence()):
        found[field.name], values = _compiled(rows, F(field.name))
        if values:
            return None
    return found


@lru_cache(KEPT)
def _way(direction: Direction) -> str:
    """` DESC NULLS LAST`"""
    rows = direction.field.model._base_manager.all()
    column, _ = _compiled(rows, F(direction.field.name))
    return _compiled(rows, direction.expression)[0].removeprefix(column)


def _compiled(rows: "models.QuerySet[Any]", expression: Any) -> tuple[str, list[Any]]:
    sql, values = rows.query.get_compiler(READER).compile(expression.resolve_expression(rows.query))
    return sql, list(values)


@lru_cache(KEPT)
def _filtered(
    model: type[MirroredTable], version: TableVersion, names: tuple[str, ...]
) -> Filtered | None:
    """SQL of filters, found with a sample of each value; None where it would not fit others."""
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
    sql, values = rows.order_by().values_list("pk").query.get_compiler(READER).as_sql()
    _, _, source = sql.partition(" FROM ")
    return Filtered(f" FROM {source}", given) if list(values) == samples else None


def _given(name: str, condition: Condition) -> Given:
    field = condition.model_field
    lookup, column = field.get_lookup(condition.lookup_expr), field.get_col("")
    assert lookup, f"{field} has no {condition.lookup_expr}"
    return Given(name, condition.field.clean, lambda value: lookup(column, value))
