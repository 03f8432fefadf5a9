"""Percent on time of any groups: on-time arrivals divided by scheduled flights, as the DOT does.

Percentages are never averaged: the API's aggregate `percent` divides sums.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

from flights.mirror import MirroredTable
from flights.query.paging import Row

from . import formatting, table_rows
from .charts import Value
from .table_rows import TableRows

MEASURE = "Percent of scheduled flights that arrive less than 15 minutes late"
FLIGHTS = "sum_Scheduled_Flights"
PERCENT = "percent_On_Time_Arrivals_of_Scheduled_Flights"
AGGREGATE = "sum:Scheduled_Flights,percent:On_Time_Arrivals/Scheduled_Flights"
MOST = "500"  # groups


def by(model: type[MirroredTable], *columns: str, **params: str) -> TableRows:
    """FLIGHTS and PERCENT for each group of a performance table."""
    group_by = ",".join(columns)
    query = {"group_by": group_by, "aggregate": AGGREGATE, "order_by": group_by, "limit": MOST}
    return table_rows.read(model, query | params)


def ranked(rows: Iterable[Row], percent: str = PERCENT, flights: str = FLIGHTS) -> list[Row]:
    """The groups with a percentage and enough flights, the best first.

    Among equal percentages, the group with more flights is first. `percent` and `flights` are names
    of columns.
    """
    ranking = [row for row in rows if row[percent] is not None and enough(row[flights] or 0)]
    return sorted(ranking, key=lambda row: (-row[percent], -row[flights]))


def enough(flights: int) -> bool:
    """Whether there are enough flights to rank their percentage; with fewer it is mostly chance."""
    return flights >= settings.FLIGHTS_TO_RANK


def least() -> str:
    """`at least 100 flights`"""
    return f"at least {formatting.count(settings.FLIGHTS_TO_RANK, 'flight')}"


def value(row: Row, label: Callable[[Row], str], url: Callable[[Row], str] | None = None) -> Value:
    return Value(label(row), row[PERCENT], row[FLIGHTS], url(row) if url else "")


def share(part: int, whole: int) -> float | None:
    """`part` in percent of `whole`, with two decimals as in the API; None if `whole` is 0."""
    return (20_000 * part + whole) // (2 * whole) / 100 if whole else None


def flights(rows: Iterable[dict[str, Any]]) -> int:
    return sum(row[FLIGHTS] for row in rows)


def text(row: Row) -> str:
    """`77.65 % of 6,059 flights`"""
    return formatting.percent_of(row[PERCENT], row[FLIGHTS])
