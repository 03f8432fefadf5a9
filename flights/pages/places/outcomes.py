"""How flights end, in percent of scheduled flights, and the words and figures for it.

A flight is on time if it arrives less than 15 minutes late. Cancelled and diverted flights are not.
Percentages of groups are never averaged: each is computed by the query API over all its flights.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from flights import links
from flights.mirror import MirroredTable
from flights.models.mirrored import FlightDelayData
from flights.pages import formatting, on_time, table_rows
from flights.pages.charts import Chart, Figure, Map, Value
from flights.pages.formatting import percent
from flights.pages.table_rows import TableRows

from . import known
from .page import Cell, Fact

type Row = dict[str, Any]
type Name = Callable[[Row], str]

ON_TIME = on_time.MEASURE
LATE = "Percent of scheduled flights that arrive 15 minutes late or more"
LIMITS = (15, 30, 60)  # minutes

# Of `flight_delay_data`, where each row is a flight.
SHARES = ",".join(
    [
        *("count", "share:Arrival_Delay_Minutes__lt:15"),
        *(f"share:Arrival_Delay_Minutes__gte:{limit}" for limit in LIMITS),
    ]
)
# Of the performance tables, where each row counts flights.
SUMS = "sum:Scheduled_Flights," + ",".join(
    f"percent:{part}/Scheduled_Flights"
    for part in ("On_Time_Arrivals", "Late_Arrivals", "Cancelled_Flights", "Diverted_Flights")
)
SUM_COLUMNS = [
    f"percent_{part}_of_Scheduled_Flights"
    for part in ("On_Time_Arrivals", "Late_Arrivals", "Cancelled_Flights", "Diverted_Flights")
]
SUM_HEADS = ["On time", "15+ min late", "Cancelled", "Diverted"]
NOTES = (
    "On time: the flight arrives less than 15 minutes late, as the US Department of Transportation"
    " counts. Percentages are of scheduled flights, so cancelled and diverted flights are not"
    " on time.",
    "Cancelled: the record says so, or, where it does not say, the flight has neither delay.",
    "Times are local; delays are at the gate. All figures describe the past.",
)
COUNT, SHARE = "count", "share_Arrival_Delay_Minutes_lt_15"
SUM, PERCENT = on_time.FLIGHTS, on_time.PERCENT


@dataclass(frozen=True)
class Measured:
    """The columns of a query that have the percentage and the number of flights."""

    percent: str
    flights: str


BY_SHARE = Measured(SHARE, COUNT)
BY_SUM = Measured(PERCENT, SUM)
BY_ROW = Measured("On_Time_Percent", "Scheduled_Flights")


def late(limit: int) -> str:
    """The column of SHARES for flights that are late by `limit` minutes or more."""
    return f"share_Arrival_Delay_Minutes_gte_{limit}"


def shares(where: dict[str, str], group_by: str = "", more: str = "", **params: str) -> TableRows:
    """The shares of flights in groups, or of all flights that meet the conditions."""
    grouping = {"group_by": group_by} if group_by else {}
    aggregate = SHARES + (more and f",{more}")
    return table_rows.read(FlightDelayData, {**where, **grouping, "aggregate": aggregate, **params})


def counts(where: dict[str, str], group_by: str, aggregate: str, **params: str) -> TableRows:
    """Groups of `flight_delay_data` with any values."""
    grouping = {"group_by": group_by, "aggregate": aggregate}
    return table_rows.read(FlightDelayData, {**where, **grouping, **params})


def sums(
    model: type[MirroredTable], where: dict[str, str], group_by: str = "", **params: str
) -> TableRows:
    """The sums of a performance table in groups, or of all its rows that meet the conditions."""
    grouping = {"group_by": group_by} if group_by else {}
    return table_rows.read(model, {**where, **grouping, "aggregate": SUMS, **params})


def minutes(delay: float | None) -> str:
    """`12 minutes late`, `5 minutes early`, `on time`."""
    return "–" if delay is None else formatting.minutes(delay)  # noqa: RUF001


def ranked(rows: Iterable[Row], by: Measured) -> list[Row]:
    """The rows with enough flights, the highest percentage first."""
    return on_time.ranked(rows, by.percent, by.flights)


def values(
    rows: Iterable[Row],
    label: Name,
    by: Measured,
    url: Name = lambda _: "",
) -> list[Value]:
    """Values of a chart from rows."""
    return [Value(label(r), r[by.percent], r[by.flights], url(r)) for r in rows]


def airport_values(rows: Iterable[Row], column: str) -> list[Value]:
    """Values of airports, whose codes are in a column of `sums`; None for few flights."""
    return [
        Value(
            known.airport_label(row[column]),
            row[PERCENT] if on_time.enough(row[SUM]) else None,
            row[SUM],
            links.airport(row[column]),
        )
        for row in rows
    ]


def figure(
    name: str, title: str, measure: str, chart: Chart, rows: TableRows, flights: int | None = None
) -> Figure:
    """A figure with the source and the address of its rows."""
    return Figure(name, title, measure, chart, rows.source, flights, rows.url)


def minimum() -> str:
    """The number of flights from which a chart ranks something."""
    return f"Ranked with {on_time.least()}."


def map_measure(chart: Map) -> str:
    """What a map shows, and which airports it cannot show."""
    beyond = f". Not on the map: {', '.join(chart.beyond)}" if chart.beyond else ""
    few = f"those with fewer than {settings.FLIGHTS_TO_RANK} have no colour"
    return f"{ON_TIME}; larger circles have more flights, {few}{beyond}"


def total(rows: Iterable[Row], by: Measured) -> int:
    return sum(row[by.flights] or 0 for row in rows)


def month(day: date) -> str:
    """`Jul 2013`"""
    return f"{day:%b %Y}"


def hour(number: int | None) -> str:
    """`22:00`"""
    return "–" if number is None else f"{number}:00"  # noqa: RUF001


def facts(row: Row, cancelled: int, scheduled: int) -> list[Fact]:
    """The chances of delays in a row of `shares`, the cancellations, and the usual delays."""
    median, p90 = (row[f"disc{p}_Arrival_Delay_Minutes"] for p in (50, 90))
    counted = f"{formatting.number(cancelled)} of {formatting.count(scheduled, 'flight')}"
    return [
        Fact("on time", percent(row[SHARE]), "less than 15 minutes late"),
        *(Fact(f"{limit} minutes late or more", percent(row[late(limit)])) for limit in LIMITS),
        Fact("cancelled", percent(on_time.share(cancelled, scheduled)), counted),
        Fact("half of the arrivals", minutes(median), "or earlier"),
        Fact("nine of ten arrivals", minutes(p90), "or earlier"),
    ]


def text(value: object) -> Cell:
    return Cell("–" if value is None else str(value))  # noqa: RUF001


def whole(value: int | None) -> Cell:
    return Cell("–" if value is None else formatting.number(value), number=True)  # noqa: RUF001


def share_cell(value: float | None) -> Cell:
    return Cell(percent(value), number=True)


def best_and_worst(ranking: Sequence[Row], by: Measured, name: Name) -> str:
    """`the most punctual is A (80.14 % of 2,000 flights on time), the least punctual B (…)`.

    Nothing without a choice. The ranking begins with the best.
    """
    if len(ranking) < 2:
        return ""
    best, worst = ranking[0], ranking[-1]
    return (
        f"the most punctual is {name(best)} ({_share(best, by)} on time), the least punctual"
        f" {name(worst)} ({_share(worst, by)})"
    )


def _share(row: Row, by: Measured) -> str:
    """`80.14 % of 2,000 flights`"""
    return formatting.percent_of(row[by.percent], row[by.flights])
