"""From a group to its rows: the filters that select them."""

from datetime import date, timedelta
from typing import Any

from flights.mirror import public
from flights.query.grouping import Grouping
from flights.query.periods import Key


def conditions(
    grouping: Grouping, row: dict[str, Any], filters: dict[str, str]
) -> dict[str, str] | None:
    """The filters for the rows of a group; None if the result lacks a column of its key."""
    chosen: dict[str, str] = {}
    for key in grouping.keys:
        name = public(key.field)
        if name not in row:
            return None
        chosen |= _period(key, row[name], filters) if key.expression else _value(name, row[name])
    return chosen


def _value(name: str, value: Any) -> dict[str, str]:
    if value is None:
        return {f"{name}__isnull": "true"}
    return {name: str(value).lower() if isinstance(value, bool) else str(value)}


def _period(key: Key, first: date | None, filters: dict[str, str]) -> dict[str, str]:
    """The days of a month or year, within limits that are filters already."""
    period, _, name = public(key.field).partition("_")
    if first is None:
        return {f"{name}__isnull": "true"}
    low, high = f"{name}__gte", f"{name}__lt"
    after = (first + timedelta(366 if period == "year" else 31)).replace(day=1)
    if period == "year":
        after = after.replace(month=1)
    return {
        low: max(filters.get(low, ""), first.isoformat()),
        high: min(filters.get(high, "9"), after.isoformat()),
    }
