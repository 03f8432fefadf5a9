"""One page of a query's rows, and what leads to the pages beside it."""

from dataclasses import dataclass
from typing import Any

from django.db import models

from flights.errors import BadQuery
from flights.models import TableVersion

from . import cost, ordering
from .cursor import FOREIGN, Position
from .query import Query, Rows


@dataclass(frozen=True)
class Page:
    rows: Rows
    place: dict[str, Any]  # what the answer says of where the page is
    next: dict[str, str] | None  # the parameters that lead there; None where there is nothing
    previous: dict[str, str] | None


def page(asked: Query, rows: "models.QuerySet[Any]", version: TableVersion) -> Page:
    if asked.by_cursor:
        return _by_cursor(asked, rows, version)
    ordered = asked.select(rows)
    end = asked.offset + asked.limit + 1
    return by_offset(asked, cost.fetch(ordered[asked.offset : end], version))


def by_offset(asked: Query, found: list[Any]) -> Page:
    """The page of rows that were found, one more than asked for where there is one."""
    more = bool(asked.limit) and len(found) > asked.limit
    names = asked.names
    return Page(
        [dict(zip(names, row, strict=True)) for row in found[: asked.limit]],
        {"offset": asked.offset},
        {"offset": str(asked.offset + asked.limit)} if more else None,
        {"offset": str(max(0, asked.offset - asked.limit))} if asked.offset else None,
    )


def _by_cursor(asked: Query, rows: "models.QuerySet[Any]", version: TableVersion) -> Page:
    position = asked.position
    backward = position is not None and position.backward
    order = [d.reversed() for d in asked.order] if backward else asked.order
    sorting = [direction.field.name for direction in order]
    if position:
        rows = rows.filter(ordering.beyond(order, _values(position, rows, sorting)))
    names = list(dict.fromkeys([field.name for field in asked.columns] + sorting))
    ordered = rows.order_by(*(direction.expression for direction in order)).values_list(*names)
    read = cost.fetch(ordered[: asked.limit + 1], version)
    found = [dict(zip(names, row, strict=True)) for row in read]
    more = bool(asked.limit) and len(found) > asked.limit
    found = found[: asked.limit][:: -1 if backward else 1]

    def beside(row: dict[str, Any], backward: bool) -> dict[str, str]:
        return {"cursor": str(Position(version.number, backward, [row[n] for n in sorting]))}

    ahead, behind = (True, more) if backward else (more, position is not None)
    return Page(
        [
            {public: row[f.name] for public, f in zip(asked.names, asked.columns, strict=True)}
            for row in found
        ],
        {},
        beside(found[-1], backward=False) if found and ahead else None,
        beside(found[0], backward=True) if found and behind else None,
    )


def _values(position: Position, rows: "models.QuerySet[Any]", sorting: list[str]) -> list[Any]:
    """The values of the order's columns in the row that a cursor names."""
    if len(position.values) == len(sorting):
        return position.values
    row = rows.filter(pk=position.values[0]).values_list(*sorting).first()
    if row is None:
        raise BadQuery(FOREIGN)
    return list(row)
