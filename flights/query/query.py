"""What a query asks of a table, read from its parameters and checked against its columns.

`columns=City,Total_Arrivals` `order_by=-Total_Arrivals,City` `limit=10` `offset=20`; `grouping`
reads the parameters of groups, `cursor` reads a cursor, and `filters` reads all other parameters.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models
from django.http import QueryDict
from rest_framework.request import Request

from flights.errors import BadQuery
from flights.mirror import Field, MirroredTable, public

from . import columns, cursor, grouping, limits, ordering
from .cursor import Position
from .grouping import Grouping
from .ordering import Direction

type Rows = list[dict[str, Any]]  # keyed by public names
LONGEST_NUMBER = 40  # digits; PostgreSQL's own numbers of rows have 19


@dataclass(frozen=True)
class Query:
    """Columns, order and page of a query; its filters are applied before."""

    columns: list[Field]
    order: list[Direction]  # whole: no two rows are equal in it
    limit: int
    offset: int
    grouping: Grouping | None
    by_cursor: bool
    position: Position | None  # None at the beginning

    @property
    def names(self) -> list[str]:
        return [public(field) for field in self.columns]

    def takes_all(self, rows: "models.QuerySet[Any]") -> bool:
        """Whether filtered rows are all of their version: then it knows their number."""
        return not (self.grouping or rows.query.where)

    def matching(self, rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        """The rows, or their groups."""
        return self.grouping.apply(rows) if self.grouping else rows

    def select(self, rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        """All rows in the asked order, as tuples of the asked columns."""
        order = [direction.expression for direction in self.order]
        names = [field.name for field in self.columns]
        return self.matching(rows).order_by(*order).values_list(*names)


def read(model: type[MirroredTable], parameters: dict[str, str]) -> Query:
    groups = grouping.read(model, parameters)
    there = groups.columns if groups else columns.of(model)
    order = ordering.read(there, parameters.get("order_by", ""))
    order = ordering.whole(order, groups.by if groups else model.sequence())
    if not groups:
        order = ordering.as_indexed(model, order, parameters)
    by_cursor = "cursor" in parameters
    if by_cursor and (groups or "offset" in parameters):
        raise BadQuery("cursor pages rows, without offset; groups are paged by offset.")
    return Query(
        columns=_columns(there, parameters.get("columns", "")),
        order=order,
        limit=min(whole_number(parameters, "limit", settings.DEFAULT_LIMIT), settings.MAX_LIMIT),
        offset=skipped(parameters),
        grouping=groups,
        by_cursor=by_cursor,
        position=cursor.read(given, order) if (given := parameters.get("cursor")) else None,
    )


def skipped(parameters: dict[str, str]) -> int:
    number = whole_number(parameters, "offset", 0)
    limits.at_most(limits.SKIPPED, number, "rows of offset", "Page by cursor=, or filter.")
    return number


def whole_number(parameters: dict[str, str], name: str, default: int) -> int:
    value = parameters.get(name)
    if not value:
        return default
    if not is_whole(value):
        raise BadQuery(f"{name}: {value[:40]!r} is not a whole number of 0 or more.")
    limits.at_most(LONGEST_NUMBER, len(value), f"digits of {name}")
    return int(value)


def required(request: Request, name: str) -> Any:
    """A value of a JSON body, which must not be empty."""
    body = request.data
    value = body.get(name) if isinstance(body, dict) else None
    if not value or not str(value).strip():
        raise BadQuery(f"Parameter '{name}' is required!")  # as the first AirSense says it
    return value


def is_whole(text: str) -> bool:
    """Whether it is digits of ASCII alone: `int` also reads `1_0`, ` 10` and other scripts."""
    return text.isascii() and text.isdigit()


def once(query: QueryDict) -> dict[str, str]:
    """Parameters of which none may be given twice."""
    for name, values in query.lists():
        if len(values) > 1:
            raise BadQuery(f"{name[:80]} is given {len(values)} times. Give it once.")
    return {str(name): str(value) for name, value in query.items()}


def _columns(there: columns.Columns, names: str) -> list[Field]:
    named = [] if names.strip() == "*" else there.listed(names)
    return named or there.fields  # commas alone name none
