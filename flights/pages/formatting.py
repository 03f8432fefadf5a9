"""Format names, values and URLs for pages."""

import math
from datetime import date
from typing import Any

from django.db import models

from flights import links
from flights.mirror import Field, public


def title(field: Field) -> str:
    """Return a column's name with spaces: `Avg Arrival Delay`."""
    return public(field).replace("_", " ")


def kind(field: Field) -> str:
    """Return `number`, `date` or `text`, which decides how a column is filtered and aligned."""
    if isinstance(field, models.IntegerField | models.FloatField):
        return "number"
    return "date" if isinstance(field, models.DateField) else "text"


def value(value: Any) -> str:
    return number(value) if isinstance(value, int | float) else str(value)


def number(number: float) -> str:
    """Format `1,234` or `-9.93` with a minus sign; floats have at least two decimals."""
    if not math.isfinite(number):
        return str(number)
    short = isinstance(number, float) and round(number, 2) == number
    return (f"{number:,.2f}" if short else f"{number:,}").replace("-", "−")  # noqa: RUF001


def figure(figure: float) -> str:
    """Format `1,234`, `65.83`, `−3.00`: two decimals of a fraction, as in the API's percentages.

    Every page writes its figures by this function, so the same figure reads the same everywhere.
    A fraction near zero has two significant digits, so it never reads as zero.
    """  # noqa: RUF002
    if isinstance(figure, int) or not math.isfinite(figure):
        return number(figure)
    digits = 2 if figure == 0 or abs(figure) >= 0.01 else 1 - math.floor(math.log10(abs(figure)))
    return f"{figure:,.{digits}f}".replace("-", "−")  # noqa: RUF001


def percent(share: float | None) -> str:
    """Format `18.07 %`, or a dash if there is no figure."""
    return "–" if share is None else f"{figure(share)} %"  # noqa: RUF001


def percent_of(share: float | None, flights: int) -> str:
    """Format `18.07 % of 1,234 flights`."""
    return f"{percent(share)} of {count(flights, 'flight')}"


def count(number: int, what: str) -> str:
    """Format `1 flight` or `1,234 flights`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def minutes(delay: float) -> str:
    """Format a delay in minutes in words; a negative delay is early."""
    if delay == 0:
        return "on time"
    return f"{number(abs(delay))} minutes {'late' if delay > 0 else 'early'}"


def names(names: list[str]) -> str:
    """Format `A`, `A and B` or `A, B and 3 more`."""
    if len(names) > 3:
        return f"{', '.join(names[:2])} and {len(names) - 2} more"
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def day(day: date) -> str:
    """Format `31 Dec 2013`."""
    return f"{day.day} {day:%b} {day.year}"


def period(first: date, last: date) -> str:
    """Format `1 Jan – 31 Dec 2013`; the first year is left out if both years are equal."""  # noqa: RUF002
    if first == last:
        return day(first)
    begin = f"{first.day} {first:%b}" if first.year == last.year else day(first)
    return f"{begin} – {day(last)}"  # noqa: RUF001


address = links.address
