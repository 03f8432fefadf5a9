"""Compute the insights on the home page: a sentence and a chart for each published table.

Every average comes with its number of flights. Airlines, cities and days with fewer flights than
the setting FLIGHTS_TO_RANK are not ranked, because an average of few flights is mostly chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Max, Min

from flights import versions
from flights.mirror import MirroredTable, column
from flights.models import TableVersion
from flights.models.mirrored import (
    AirlinePerformance,
    BusiestAirportsByDelays,
    DelaysByDay,
    FlightDelayData,
)
from flights.search import dictionary

from . import charts, formatting
from .formatting import minutes, names

WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CHART_CITIES = 10
HEADLINE_CITIES = 3  # a headline names at most so many cities; otherwise it counts them
# The US Department of Transportation counts Newark to the market of New York City.
MARKETS = {"Newark, NJ": "New York, NY"}


class Row(NamedTuple):
    """An airline, city or day with its average delay in minutes."""

    label: str
    value: float
    flights: int  # number of flights in the average


type Rows = Sequence[Row]


@dataclass(frozen=True)
class Insight:
    """An insight: a card on the home page."""

    title: str
    sentence: str
    measure: str  # what the bars show
    chart: charts.Chart
    explorer: str  # query string of the explorer that shows the same chart
    vertical: bool = False


@dataclass(frozen=True)
class Direction:
    """Departures or arrivals: the columns of BusiestAirportsByDelays, and words for sentences."""

    title: str
    event: str
    late: str  # column with the number of late events
    average: str  # column with their average delay
    cities: str
    preposition: str


ORIGINS = Direction(
    *("Origins", "departure", "total_departures", "avg_departure_delay"),
    *("cities of origin", "from"),
)
DESTINATIONS = Direction(
    *("Destinations", "arrival", "total_arrivals", "avg_arrival_delay"),
    *("destinations", "in"),
)


def headline() -> str:
    """Return the title of the home page, for example `Flights from New York, 2013`."""
    days = coverage()
    if days is None:
        return "Flight delays"
    first, last = days[0].year, days[1].year
    years = str(first) if first == last else f"{first} – {last}"  # noqa: RUF001
    return f"Flights from {_origins()}, {years}"


def _origins() -> str:
    """The cities that flights leave, the most frequent first, or their number if there are many."""
    position = [field.name for field in FlightDelayData.columns()].index("origin_city")
    cities = versions.read(FlightDelayData, lambda version: dictionary.values(version, position))
    markets = list(dict.fromkeys(MARKETS.get(city, city) for city in cities))
    if len(markets) > HEADLINE_CITIES:
        return f"{formatting.number(len(markets))} cities"
    *before, last = [market.partition(",")[0] for market in markets]
    return f"{', '.join(before)} and {last}" if before else last


def airlines() -> Insight | None:
    """Compare the airlines; None if no airline has enough flights."""
    rows = _rows(AirlinePerformance, "airline_name", "avg_arrival_delay", "total_flights")
    if not rows:
        return None
    return Insight(
        "Airlines",
        _airline_sentence(rows),
        "Average arrival delay in minutes, and number of scheduled flights",
        _chart(rows),
        f"table=airline_performance&Total_Flights__gte={settings.FLIGHTS_TO_RANK}"
        "&Avg_Arrival_Delay__isnull=false&order_by=Avg_Arrival_Delay"
        "&limit=500&view=chart&chart=Airline_Name,Avg_Arrival_Delay",
    )


def _airline_sentence(rows: Rows) -> str:
    best, worst = _ties(rows, rows[0]), _ties(rows, rows[-1])
    if best == worst:
        return f"Flights of {_names(best)} land {minutes(rows[0].value)} on average{_count(best)}."
    return (
        f"Flights of {_names(best)} land {minutes(best[0].value)} on average{_count(best)}, the"
        f" best of {len(rows)} airlines{_enough('flight')}; those of {_names(worst)} land"
        f" {minutes(worst[0].value)}{_count(worst)}, the worst."
    )


def origins() -> Insight | None:
    return _cities(ORIGINS)


def destinations() -> Insight | None:
    return _cities(DESTINATIONS)


def _cities(direction: Direction) -> Insight | None:
    """Rank the cities with the longest delays; None if no city has enough late flights.

    The limit also excludes cities without any late flight, whose average is 0.
    """
    rows = _rows(BusiestAirportsByDelays, "city", direction.average, direction.late)
    if not rows:
        return None
    rows.sort(key=lambda row: (-row.value, row.label))
    worst, late = _ties(rows, rows[0]), f"late {direction.event}"
    among = f", the longest delay of {len(rows)} {direction.cities}" if len(rows) > 1 else ""
    late_column = column(BusiestAirportsByDelays, direction.late)
    average = column(BusiestAirportsByDelays, direction.average)
    return Insight(
        direction.title,
        f"{late.capitalize()}s {direction.preposition} {_names(worst)} are"
        f" {minutes(worst[0].value)} on average{_count(worst, late)}{among}{_enough(late)}.",
        f"Average delay of a {late} in minutes, and number of {late}s",
        _chart(rows[:CHART_CITIES]),
        f"table=busiest_airports_by_delays&{late_column}__gte={settings.FLIGHTS_TO_RANK}"
        f"&order_by=-{average}&limit={CHART_CITIES}&view=chart&chart=City,{average}",
    )


def days() -> Insight | None:
    """Compare the days of the week; None if no day has enough flights."""
    rows = _rows(DelaysByDay, "day_of_week", "avg_arrival_delay", "total_flights")
    if not rows:
        return None
    week = sorted(rows, key=lambda row: WEEK.index(row[0]) if row[0] in WEEK else len(WEEK))
    return Insight(
        "Days of the week",
        _day_sentence(rows),
        "Average arrival delay in minutes, and number of scheduled flights",
        _chart(week),
        f"table=delays_by_day&Total_Flights__gte={settings.FLIGHTS_TO_RANK}"
        "&Avg_Arrival_Delay__isnull=false&order_by=-Avg_Arrival_Delay"
        "&view=chart&chart=Day_of_Week,Avg_Arrival_Delay",
        vertical=True,
    )


def _day_sentence(rows: Rows) -> str:
    best, worst = _ties(rows, rows[0]), _ties(rows, rows[-1])
    if best == worst:
        return f"On {_names(best)} flights land {minutes(best[0].value)} on average{_count(best)}."
    return (
        f"On {_names(worst)} flights land {minutes(worst[0].value)} on average{_count(worst)}, the"
        f" worst of the week; on {_names(best)} they land {minutes(best[0].value)}{_count(best)},"
        " the best."
    )


def coverage() -> tuple[date, date] | None:
    """Return the first and the last day with flights; None if the table is empty."""
    days = versions.read(
        FlightDelayData,
        lambda version: versions.rows(FlightDelayData, version).aggregate(
            first=Min("flight_date"), last=Max("flight_date")
        ),
    )
    return (days["first"], days["last"]) if days["first"] else None


def _rows(model: type[MirroredTable], label: str, value: str, flights: str) -> list[Row]:
    """The rows that have a value and enough flights, the lowest value first."""

    def read(version: TableVersion) -> list[Any]:
        enough = {f"{value}__isnull": False, f"{flights}__gte": settings.FLIGHTS_TO_RANK}
        rows = versions.rows(model, version).filter(**enough).order_by(value, label)
        return list(rows.values_list(label, value, flights))

    return [Row(*row) for row in versions.read(model, read)]


def _chart(rows: Rows) -> charts.Chart:
    return charts.chart(
        [(row.label, row.value) for row in rows], [formatting.number(row.flights) for row in rows]
    )


def _ties(rows: Rows, best: Row) -> list[Row]:
    """The rows with the same value as one of them, sorted by label."""
    return sorted(row for row in rows if row.value == best.value)


def _names(rows: Rows) -> str:
    return names([row.label for row in rows])


def _count(rows: Rows, what: str = "flight") -> str:
    """The number of flights in parentheses."""
    return f" ({formatting.count(sum(row.flights for row in rows), what)})"


def _enough(what: str) -> str:
    """The condition for being ranked."""
    return f" with at least {formatting.count(settings.FLIGHTS_TO_RANK, what)}"
