"""How names, values and addresses are written on pages."""

import math
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from django.db import models

from flights.mirror import Field, public


def title(field: Field) -> str:
    """`Avg_Arrival_Delay` as people read it."""
    return public(field).replace("_", " ")


def kind(field: Field) -> str:
    """`number`, `date` or `text`: how a column is filtered and aligned."""
    if isinstance(field, models.IntegerField | models.FloatField):
        return "number"
    return "date" if isinstance(field, models.DateField) else "text"


def value(given: Any) -> str:
    return number(given) if isinstance(given, int | float) else str(given)


def number(given: float) -> str:
    """`1,234`, `-9.93` with a minus sign; two decimals, or as many as there are."""
    if not math.isfinite(given):
        return str(given)
    short = isinstance(given, float) and round(given, 2) == given
    return (f"{given:,.2f}" if short else f"{given:,}").replace("-", "−")  # noqa: RUF001


def count(given: int, what: str) -> str:
    """`1 flight`, `1,234 flights`."""
    return f"{given:,} {what}{'' if given == 1 else 's'}"


def minutes(given: float) -> str:
    """A delay in words; a negative one is early."""
    if given == 0:
        return "on time"
    return f"{number(abs(given))} minutes {'late' if given > 0 else 'early'}"


def names(given: list[str]) -> str:
    """`A`, `A and B`, `A, B and 3 more`."""
    if len(given) > 3:
        return f"{', '.join(given[:2])} and {len(given) - 2} more"
    *before, last = given
    return f"{', '.join(before)} and {last}" if before else last


def day(given: date) -> str:
    return f"{given.day} {given:%b} {given.year}"


def period(first: date, last: date) -> str:
    """`1 Jan to 31 Dec 2013` with a dash; the first year only where it is another."""
    if first == last:
        return day(first)
    begin = f"{first.day} {first:%b}" if first.year == last.year else day(first)
    return f"{begin} – {day(last)}"  # noqa: RUF001


def address(path: str, parameters: Mapping[str, str | None]) -> str:
    """A relative address with its query, readable; a parameter that is None is left out."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{path}?{urlencode(given, quote_via=quote, safe=',')}"
