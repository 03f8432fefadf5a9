"""Values of columns as labels of a chart, in their order and without gaps."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from flights.entities.dates import WEEK
from flights.mirror import Field
from flights.pages import formatting

LONGEST = 1_100  # places of a scale that is filled up: three years of days


def label(field: Field, value: Any) -> str:
    """`Jul 2013` for a month, `9 Feb 2013` for a day, the text of any other value."""
    if value is None:
        return "no value"
    if isinstance(value, date):
        return _date(field, value)
    return formatting.value(value)


def in_order(values: Iterable[Any]) -> list[Any]:
    """Different values in their order: days of the week from Monday on; no value at the end."""
    different = set(values) - {None}
    ordered = sorted(different, key=WEEK.index) if different <= {*WEEK} else sorted(different)
    return ordered + [None] * (None in values)


def filled(field: Field, values: Iterable[Any]) -> list[Any]:
    """Different values in order, with those between them for which there is no row."""
    ordered = [value for value in in_order(list(values)) if value is not None]
    if not ordered:
        return []
    every = _between(field, ordered[0], ordered[-1])
    return every if every and {*ordered} <= {*every} else ordered


def _between(field: Field, first: Any, last: Any) -> list[Any]:
    if isinstance(first, date):
        return _dates(period(field), first, last)
    if isinstance(first, int) and last - first < LONGEST:
        return list(range(first, last + 1))
    return []


def _dates(step: str, first: date, last: date) -> list[date]:
    days = (last - first).days
    if step == "day":
        return [first + timedelta(n) for n in range(days + 1)] if days < LONGEST else []
    months = range(0, (last.year - first.year) * 12 + 12, 12 if step == "year" else 1)
    every = [_later(first, number) for number in months]
    return [day for day in every if day <= last]


def _later(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, 12)
    return first.replace(year=first.year + years, month=month + 1)


def period(field: Field) -> str:
    """What a date of a column stands for: day, month or year."""
    return next((name for name in ("month", "year") if field.name.startswith(name)), "day")


def _date(field: Field, value: date) -> str:
    step = period(field)
    if step == "year":
        return str(value.year)
    return f"{value:%b} {value.year}" if step == "month" else formatting.day(value)
