"""One page of a query's rows, and the parameters that lead to the pages beside it."""

from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

from django.db import models

from flights.errors import BadQuery
from flights.models import TableVersion

from . import cost, ordering, sql_cache
from .cursor import FOREIGN, Position

if TYPE_CHECKING:
    from .query import Query

type Row = dict[str, Any]  # by the public names of columns


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    offset: int | None  # rows before the page; None for a page by cursor
    next: dict[str, str] | None  # parameters of the next page; None: this is the last
    previous: dict[str, str] | None


def page(query: "Query", version: TableVersion) -> Page:
    """One page. Raises BadQuery or Unavailable if it would cost too much."""
    if query.by_cursor:
        return _by_cursor(query, version)
    limit, offset, names = query.limit, query.offset, query.names
    rows = sql_cache.fetch(query, version)  # one row more if a page follows
    if rows is None:
        rows = cost.fetch(query.select(version)[offset : offset + limit + 1], version)
    more = bool(limit) and len(rows) > limit
    return Page(
        _named(names, rows[:limit]),
        offset,
        {"offset": str(offset + limit)} if more else None,
        {"offset": str(max(0, offset - limit))} if offset else None,
    )


def _named(names: list[str], rows: list[Any]) -> list[Row]:
    """Rows by names. A loop with `zip(strict=True)` takes a quarter longer."""
    return list(map(dict, map(zip, repeat(names), rows)))


def _by_cursor(query: "Query", version: TableVersion) -> Page:
    position = query.position
    backward = position is not None and position.backward
    rows = _fetch(query, version, backward)
    more = bool(query.limit) and len(rows) > query.limit
    rows = rows[: query.limit][:: -1 if backward else 1]
    sorting = [direction.field.name for direction in query.order]

    def beside(row: Row, backward: bool) -> dict[str, str]:
        return {"cursor": str(Position(version.number, backward, [row[n] for n in sorting]))}

    ahead, behind = (True, more) if backward else (more, position is not None)
    columns = list(zip(query.names, query.columns, strict=True))
    return Page(
        [{name: row[field.name] for name, field in columns} for row in rows],
        None,
        beside(rows[-1], backward=False) if rows and ahead else None,
        beside(rows[0], backward=True) if rows and behind else None,
    )


def _fetch(query: "Query", version: TableVersion, backward: bool) -> list[Row]:
    """The rows from the cursor on, in the direction of the page, by the names of fields."""
    rows = query.rows(version)
    order = [d.reversed() for d in query.order] if backward else query.order
    sorting = [direction.field.name for direction in order]
    if query.position:
        rows = rows.filter(ordering.beyond(order, _values(query.position, rows, sorting)))
    names = list(dict.fromkeys([field.name for field in query.columns] + sorting))
    ordered = rows.order_by(*(direction.expression for direction in order)).values_list(*names)
    fetched = cost.fetch(ordered[: query.limit + 1], version)
    return _named(names, fetched)


def _values(position: Position, rows: "models.QuerySet[Any]", sorting: list[str]) -> list[Any]:
    """The values of the order's columns in the row that a cursor names."""
    if len(position.values) == len(sorting):
        return position.values
    row = rows.filter(pk=position.values[0]).values_list(*sorting).first()
    if row is None:
        raise BadQuery(FOREIGN)
    return list(row)
