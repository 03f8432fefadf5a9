"""Cached SQL of queries: Django's ORM compiles the parts of a query once, without its values.

The parts (columns, directions, filters) are joined as Django joins them. A lookup prepares its
value as in the ORM. Where SQL depends on a value, the query goes through the ORM.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connections, models
from django.db.models import F

from flights import versions
from flights.mirror import Field, MirroredTable
from flights.models import TableVersion
from flights.versions import READER

from . import cost, filters
from .filters import ColumnFilter, Condition
from .ordering import Direction
from .values import sample

if TYPE_CHECKING:
    from .query import Query

SIZE = 4_096  # entries of each cache; none is longer than a few kB
# A page of a small table is read with all columns if these are at most so many values: so queries
# for other columns share one prepared statement, and a tenth more cold queries run in a second.
FEW = 1_000
BY_VALUE = ("in", "isnull")  # operators whose SQL depends on the value

type Statement = tuple[str, list[Any]]


@dataclass(frozen=True)
class Cached:
    """SQL, and for each condition the function that turns its value into parameters."""

    sql: str
    prepare: list[Callable[[Any], list[Any]]]

    def values(self, where: list[Condition]) -> list[Any]:
        pairs = zip(self.prepare, where, strict=True)
        return [value for prepare, condition in pairs for value in prepare(condition.value)]


def fetch(query: "Query", version: TableVersion) -> list[Any] | None:
    """The rows of a page, and one more if another page follows; None if `statement` is None."""
    columns = _to_read(query, version)
    cached = statement(query, version, columns)
    if cached is None:
        return None
    rows = cost.fetch_sql(*_limited(cached, query, query.limit + 1), version)
    return rows if columns == query.columns else _chosen(query, rows)


def _to_read(query: "Query", version: TableVersion) -> tuple[Field, ...]:
    """All columns of the table if the page has FEW values of a small table, else the query's."""
    if version.rows >= cost.LARGE:  # another index may serve fewer columns
        return query.columns
    columns = _every(query.model)
    few = len(columns) * min(query.limit, version.rows) <= FEW
    known = few and all(field.name in columns for field in query.columns)
    return tuple(columns.values()) if known else query.columns


@lru_cache
def _every(model: type[MirroredTable]) -> dict[str, Field]:
    return {field.name: field for field in model.columns()}


def _chosen(query: "Query", rows: list[Any]) -> list[Any]:
    """The query's columns of rows with all columns."""
    names = list(_every(query.model))
    places = [names.index(field.name) for field in query.columns]
    return [[row[place] for place in places] for row in rows]


def sql(query: "Query", version: TableVersion, limit: int | None) -> Statement:
    """The SQL of at most `limit` rows from the query's offset on, or of all; and its values."""
    cached = statement(query, version, query.columns)
    return _limited(cached or _by_the_orm(query, version), query, limit)


def _limited(statement: Statement, query: "Query", limit: int | None) -> Statement:
    text, values = statement
    if limit is not None:
        text, values = f"{text} LIMIT %s", [*values, limit]
    return (f"{text} OFFSET %s", [*values, query.offset]) if query.offset else (text, values)


def statement(
    query: "Query", version: TableVersion, columns: tuple[Field, ...]
) -> Statement | None:
    """The cached SQL of some columns in all rows of a query, and its values.

    None if the query needs the ORM: because of its shape, or because Django knows from a value
    that every row or no row matches.
    """
    where = [part for part in query.where if isinstance(part, Condition)]
    if query.grouping or query.by_cursor or len(where) < len(query.where):
        return None
    parameters = tuple(condition.parameter for condition in where)
    cached = _cached(query.model, version, columns, query.order, parameters)
    try:
        return (cached.sql, cached.values(where)) if cached else None
    except (EmptyResultSet, FullResultSet):
        return None


def _by_the_orm(query: "Query", version: TableVersion) -> Statement:
    # elide_empty=False: SQL also for conditions of which Django knows that no row meets them.
    compiler = query.select(version).query.get_compiler(READER, elide_empty=False)
    text, values = compiler.as_sql()
    return text, list(values)


@lru_cache(SIZE)
def _cached(
    model: type[MirroredTable],
    version: TableVersion,
    fields: tuple[Field, ...],
    order: tuple[Direction, ...],
    parameters: tuple[str, ...],
) -> Cached | None:
    columns, filtered = _columns(model, version), _filtered(model, version, parameters)
    if columns is None or filtered is None:
        return None
    names = [field.name for field in fields]
    selected = ", ".join(f'{columns[name]} AS "{name}"' for name in names)
    sorting = ", ".join(_sorted(direction, names, columns) for direction in order)
    return Cached(f"SELECT {selected}{filtered.sql} ORDER BY {sorting}", filtered.prepare)


def _sorted(direction: Direction, selected: list[str], columns: dict[str, str]) -> str:
    """The SQL of a direction. Django names a selected column by its position."""
    name = direction.field.name
    column = str(selected.index(name) + 1) if name in selected else columns[name]
    return column + _suffix(direction)


@lru_cache(SIZE)
def _columns(model: type[MirroredTable], version: TableVersion) -> dict[str, str] | None:
    """The SQL of each field by its name; None if a column is newer than the version."""
    rows, sql_by_name = versions.rows(model, version), {}
    for field in (*model.columns(), *model.sequence()):
        sql_by_name[field.name], values = _compiled(rows, F(field.name))
        if values:
            return None
    return sql_by_name


@lru_cache(SIZE)
def _suffix(direction: Direction) -> str:
    """` DESC NULLS LAST`"""
    rows = direction.field.model._base_manager.all()
    column, _ = _compiled(rows, F(direction.field.name))
    return _compiled(rows, direction.expression)[0].removeprefix(column)


def _compiled(rows: "models.QuerySet[Any]", expression: Any) -> tuple[str, list[Any]]:
    sql, values = rows.query.get_compiler(READER).compile(expression.resolve_expression(rows.query))
    return sql, list(values)


@lru_cache(SIZE)
def _filtered(
    model: type[MirroredTable], version: TableVersion, parameters: tuple[str, ...]
) -> Cached | None:
    """` FROM ... WHERE ...`, compiled with sample values; None if the SQL depends on values."""
    named = filters.filterset(model, parameters).base_filters.values()
    column_filters = [f for f in named if isinstance(f, ColumnFilter)]
    if any(column_filter.lookup_expr in BY_VALUE for column_filter in column_filters):
        return None
    rows, prepare = versions.rows(model, version), [_preparing(f) for f in column_filters]
    samples: list[Any] = []
    for column_filter, prepared in zip(column_filters, prepare, strict=True):
        value = column_filter.field.clean(sample(column_filter.model_field))
        rows = column_filter.filter(rows, value)
        samples += prepared(value)
    sql, values = rows.order_by().values_list("pk").query.get_compiler(READER).as_sql()
    _, _, source = sql.partition(" FROM ")
    return Cached(f" FROM {source}", prepare) if list(values) == samples else None


def _preparing(column_filter: ColumnFilter) -> Callable[[Any], list[Any]]:
    """How the lookup of a filter turns a value into parameters of SQL."""
    field = column_filter.model_field
    lookup, column = field.get_lookup(column_filter.lookup_expr), field.get_col("")
    assert lookup, f"{field} has no {column_filter.lookup_expr}"

    def prepared(value: Any) -> list[Any]:
        # A value that is no expression needs no compiler.
        _, params = lookup(column, value).process_rhs(None, connections[READER])  # type: ignore[arg-type]
        return list(params)

    return prepared
