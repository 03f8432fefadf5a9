"""The order of rows: `order_by=-Avg_Arrival_Delay__nulls_first,City`.

Rows without a value come last in both directions, because people who sort want to see values. The
suffix `__nulls_first` puts them first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.db.models import F, Q
from django.db.models.expressions import OrderBy

from flights.errors import BadQuery
from flights.mirror import Field, MirroredTable, may_be_empty

from . import limits
from .columns import Columns

PLACES = {"nulls_first": True, "nulls_last": False}
NOTHING = Q(pk__in=[])


@dataclass(frozen=True)
class Direction:
    """One column of an order."""

    field: Field
    descending: bool = False
    nulls_first: bool = False

    @property
    def expression(self) -> OrderBy:
        """The SQL order. NULLS FIRST or LAST appears only for columns that can be empty."""
        column = F(self.field.name)
        place = {"nulls_first" if self.nulls_first else "nulls_last": True}
        where = place if may_be_empty(self.field) else {}
        return column.desc(**where) if self.descending else column.asc(**where)

    def reversed(self) -> "Direction":
        return replace(self, descending=not self.descending, nulls_first=not self.nulls_first)

    def at(self, value: Any) -> Q:
        """Rows with this value."""
        name = self.field.name
        return Q(**({f"{name}__isnull": True} if value is None else {name: value}))

    def after(self, value: Any) -> Q:
        """Rows that this column alone sorts after a value."""
        empty = Q(**{f"{self.field.name}__isnull": True})
        if value is None:
            return ~empty if self.nulls_first else NOTHING
        sign = "lt" if self.descending else "gt"
        beyond = Q(**{f"{self.field.name}__{sign}": value})
        last = may_be_empty(self.field) and not self.nulls_first
        return beyond | empty if last else beyond

    def not_before(self, value: Any) -> Q:
        """A bound that lets PostgreSQL use an index; no condition for columns that can be empty."""
        # The value is None if the column is newer than the version.
        if may_be_empty(self.field) or value is None:
            return Q()
        sign = "lte" if self.descending else "gte"
        return Q(**{f"{self.field.name}__{sign}": value})


def read(columns: Columns, text: str) -> list[Direction]:
    """The directions of `order_by`. Raises BadQuery for an unknown column or suffix."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    limits.at_most(limits.SORTED, len(names), "columns of order_by")
    return [_direction(columns, name) for name in names]


def named(model: type[MirroredTable], name: str) -> Direction:
    """The direction of a field's name with an optional `-`, as `Mirror` declares it."""
    (field,) = [f for f in model.columns() if f.name == name.removeprefix("-")]
    return Direction(field, name.startswith("-"))


def whole(order: list[Direction], ends_in: list[Field]) -> list[Direction]:
    """An order in which no two rows are equal.

    The added columns have the direction of the last one, as the columns of an index have.
    """
    descending = bool(order) and order[-1].descending
    named = {direction.field for direction in order}
    return order + [Direction(field, descending) for field in ends_in if field not in named]


def as_indexed(
    model: type[MirroredTable], order: list[Direction], filled: frozenset[Field]
) -> list[Direction]:
    """The same order, written as an index of the table has it.

    `filled` are the columns without an empty value in the filtered rows. There it does not matter
    whether empty values come first, but PostgreSQL uses an index only for the order of the index.
    """
    first = order[0]
    ways = _ways(model, first.field) if may_be_empty(first.field) else ()
    if not ways or first.field not in filled:
        return order
    return [replace(first, nulls_first=first.descending not in ways), *order[1:]]


@lru_cache
def _ways(model: type[MirroredTable], field: Field) -> frozenset[bool]:
    """The directions of the indexes that begin with a column; True means descending."""
    indexes = [named(model, names[0]) for names in model.mirror.indexes]
    return frozenset(index.descending for index in indexes if index.field == field)


def beyond(order: Sequence[Direction], values: list[Any]) -> Q:
    """The rows that come after the row with these values."""
    after, same = NOTHING, Q()
    for direction, value in zip(order, values, strict=True):
        after |= same & direction.after(value)
        same &= direction.at(value)
    return order[0].not_before(values[0]) & after


def _direction(columns: Columns, text: str) -> Direction:
    name, _, place = text.removeprefix("-").partition("__")
    if place and place.lower() not in PLACES:
        raise BadQuery(f"order_by: {place[:40]!r} is unknown.", list(PLACES))
    return Direction(columns.find(name), text.startswith("-"), PLACES.get(place.lower(), False))
