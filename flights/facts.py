"""What the published tables say: a sentence and a chart of each, computed from their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Max, Min

from . import charts, formats, versions
from .formats import minutes, names
from .mirror import MirroredTable
from .models.mirrored import (
    AirlinePerformance,
    BusiestAirportsByDelays,
    DelaysByDay,
    FlightDelayData,
)

WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# A city with few flights leads every ranking by chance; the first number that a city reaches holds.
ENOUGH_ARRIVALS = (1_000, 100, 10, 1)
AIRPORTS_SHOWN = 10

type Rows = Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Fact:
    title: str
    sentence: str
    measure: str  # what the bars show
    chart: charts.Chart
    explorer: str  # the view that shows the same
    standing: bool = False  # columns instead of bars


def airlines() -> Fact | None:
    """The best and the worst airline; None where no airline has an average."""
    rows = _rows(AirlinePerformance, "airline_name", "avg_arrival_delay")
    if not rows:
        return None
    return Fact(
        "Airlines",
        _airline_sentence(rows),
        "Average minutes late at arrival",
        charts.chart(rows),
        "table=airline_performance&Avg_Arrival_Delay__isnull=false&order_by=Avg_Arrival_Delay"
        "&limit=500&view=chart&chart=Airline_Name,Avg_Arrival_Delay",
    )


def _airline_sentence(rows: Rows) -> str:
    (best, early), (worst, late) = _lowest(rows), _highest(rows)
    if early == late:
        return f"Flights of {names(best)} land {minutes(early)} on average."
    return (
        f"Flights of {names(best)} land {minutes(early)} on average, the best of {len(rows)}"
        f" airlines; those of {names(worst)} land {minutes(late)}, the worst."
    )


def airports() -> Fact | None:
    """The cities with the longest delays, of those with enough late arrivals."""
    found = versions.read(
        BusiestAirportsByDelays,
        lambda version: list(
            versions.rows(BusiestAirportsByDelays, version)
            .order_by("-total_avg_delay", "city")
            .values_list("city", "total_avg_delay", "total_arrivals")
        ),
    )
    for least in ENOUGH_ARRIVALS:
        if rows := [(city, delay) for city, delay, arrivals in found if arrivals >= least]:
            return _airport_fact(rows, least)
    return None


def _airport_fact(rows: Rows, least: int) -> Fact:
    worst, delay = _highest(rows)
    cities = f"{len(rows)} cities" if len(rows) > 1 else "the cities"
    return Fact(
        "Airports",
        f"At {names(worst)} the average late departure and the average late arrival add up to"
        f" {formats.number(delay)} minutes, the most of {cities} with at least {least:,} late"
        f" arrival{'s' if least > 1 else ''}.",
        "Average minutes of late departures and late arrivals, added",
        charts.chart(rows[:AIRPORTS_SHOWN]),
        f"table=busiest_airports_by_delays&Total_Arrivals__gte={least}&order_by=-Total_Avg_Delay"
        f"&limit={AIRPORTS_SHOWN}&view=chart&chart=City,Total_Avg_Delay",
    )


def days() -> Fact | None:
    """The best and the worst day of the week; None where no day has an average."""
    rows = _rows(DelaysByDay, "day_of_week", "avg_arrival_delay")
    if not rows:
        return None
    week = sorted(rows, key=lambda row: WEEK.index(row[0]) if row[0] in WEEK else len(WEEK))
    return Fact(
        "Days of the week",
        _day_sentence(rows),
        "Average minutes late at arrival",
        charts.chart(week),
        "table=delays_by_day&Avg_Arrival_Delay__isnull=false&order_by=-Avg_Arrival_Delay"
        "&view=chart&chart=Day_of_Week,Avg_Arrival_Delay",
        standing=True,
    )


def _day_sentence(rows: Rows) -> str:
    (best, early), (worst, late) = _lowest(rows), _highest(rows)
    if early == late:
        return f"On {names(best)} flights land {minutes(early)} on average."
    return (
        f"On {names(worst)} flights land {minutes(late)} on average, the worst of the week;"
        f" on {names(best)} they land {minutes(early)}, the best."
    )


def coverage() -> tuple[date, date] | None:
    """The first and the last day of the flights; None where there is no flight."""
    found = versions.read(
        FlightDelayData,
        lambda version: versions.rows(FlightDelayData, version).aggregate(
            first=Min("flight_date"), last=Max("flight_date")
        ),
    )
    return (found["first"], found["last"]) if found["first"] else None


def _rows(model: type[MirroredTable], label: str, value: str) -> Rows:
    """Labels and values that there are, the lowest value first."""
    found: list[Any] = versions.read(
        model,
        lambda version: list(
            versions.rows(model, version)
            .filter(**{f"{value}__isnull": False})
            .order_by(value, label)
            .values_list(label, value)
        ),
    )
    return found


def _lowest(rows: Rows) -> tuple[list[str], float]:
    low = min(value for _, value in rows)
    return [label for label, value in rows if value == low], low


def _highest(rows: Rows) -> tuple[list[str], float]:
    high = max(value for _, value in rows)
    return [label for label, value in rows if value == high], high
