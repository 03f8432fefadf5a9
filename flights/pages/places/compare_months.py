"""Two things by month, or two days by hour."""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from flights.errors import BadQuery, Unavailable
from flights.models.mirrored import PerformanceByMonth
from flights.pages import table_rows
from flights.pages.charts import Figure, Lines, Series, Value
from flights.pages.table_rows import TableRows

from . import outcomes
from .compared import Thing
from .outcomes import BY_ROW, BY_SHARE, Measured, shares
from .page import LEAST

UNIT = "%"


def figures(a: Thing, b: Thing) -> list[Figure]:
    if a.kind == "days":
        column, name = "Scheduled_Departure_Hour", outcomes.hour
        rows = [shares(thing.where, column) for thing in (a, b)]
        return _lines(a, b, rows, column, name, BY_SHARE, "hour")
    if a.kind == "airlines":
        rows = [table_rows.read(PerformanceByMonth, thing.where) for thing in (a, b)]
        return _lines(a, b, rows, "Month", outcomes.month, BY_ROW, "month")
    try:
        rows = [shares(thing.where, "month:Flight_Date") for thing in (a, b)]
    except (BadQuery, Unavailable):  # an airport with very many flights, now
        return []
    return _lines(a, b, rows, "month_Flight_Date", outcomes.month, BY_SHARE, "month")


def _lines(
    a: Thing,
    b: Thing,
    rows: list[TableRows],
    column: str,
    name: Callable[[Any], str],
    by: Measured,
    unit: str,
) -> list[Figure]:
    """A line for each thing, over the months or hours of both."""
    known = {r[column] for each in rows for r in each.rows if r[column] is not None}
    if len(known) < 2:
        return []
    series = [
        Series(thing.name, _values({r[column]: r for r in each.rows}, sorted(known), name, by))
        for thing, each in zip((a, b), rows, strict=True)
    ]
    flights = sum(outcomes.total(each.rows, by) for each in rows)
    least = settings.FLIGHTS_TO_RANK if a.kind in ("airlines", "airports") else LEAST
    return [
        Figure(
            f"{unit}s",
            f"On time by {unit}",
            f"{outcomes.ON_TIME}. At least {least} flights.",
            Lines([Series(s.name, _enough(s, least)) for s in series], UNIT, unit.capitalize()),
            rows[0].source,
            flights,
        )
    ]


def _values(
    by_key: dict[Any, dict[str, Any]], keys: list[Any], name: Callable[[Any], str], by: Measured
) -> list[Value]:
    return [
        Value(name(key), row[by.percent], row[by.flights]) if row else Value(name(key), None)
        for key in keys
        for row in [by_key.get(key)]
    ]


def _enough(series: Series, least: int) -> list[Value]:
    """The values, without those of fewer flights."""
    return [
        value if (value.flights or 0) >= least else Value(value.label, None, value.flights)
        for value in series.values
    ]
