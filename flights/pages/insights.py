"""What the published tables say: a sentence and a chart of each, computed from their rows.

Every figure has the number of flights that it is an average of, and nothing is ranked that has
fewer than FLIGHTS_TO_RANK of them: few flights lead every ranking by chance.
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
CITIES_SHOWN = 10
CITIES_NAMED = 3  # in a headline; of more the number is said
# The DOT counts Newark's airport to the market of New York City.
MARKETS = {"Newark, NJ": "New York, NY"}


class Row(NamedTuple):
    label: str
    value: float
    flights: int  # of which the value is the average


type Rows = Sequence[Row]


@dataclass(frozen=True)
class Fact:
    title: str
    sentence: str
    measure: str  # what the bars show
    chart: charts.Chart
    explorer: str  # the view that shows the same
    standing: bool = False  # columns instead of bars


@dataclass(frozen=True)
class Side:
    """Departures or arrivals of the cities: where the table has them, and their words."""

    title: str
    what: str
    late: str  # the column that counts them
    average: str
    cities: str
    place: str


ORIGINS = Side(
    *("Origins", "departure", "total_departures", "avg_departure_delay"),
    *("cities of origin", "from"),
)
DESTINATIONS = Side(
    *("Destinations", "arrival", "total_arrivals", "avg_arrival_delay"),
    *("destinations", "in"),
)


def headline() -> str:
    """Which flights these are, and of when: `Flights from New York, 2013`."""
    days = coverage()
    if days is None:
        return "Flight delays"
    first, last = days[0].year, days[1].year
    years = str(first) if first == last else f"{first} – {last}"  # noqa: RUF001
    return f"Flights from {_origins()}, {years}"


def _origins() -> str:
    """The markets that flights leave, the largest first, without their states."""
    place = [field.name for field in FlightDelayData.columns()].index("origin_city")
    cities = versions.read(FlightDelayData, lambda version: dictionary.values(version, place))
    markets = list(dict.fromkeys(MARKETS.get(city, city) for city in cities))
    if len(markets) > CITIES_NAMED:
        return f"{formatting.number(len(markets))} cities"
    *before, last = [market.partition(",")[0] for market in markets]
    return f"{', '.join(before)} and {last}" if before else last


def airlines() -> Fact | None:
    """The best and the worst airline; None where no airline has enough flights."""
    rows = _rows(AirlinePerformance, "airline_name", "avg_arrival_delay", "total_flights")
    if not rows:
        return None
    return Fact(
        "Airlines",
        _airline_sentence(rows),
        "Average minutes late at arrival, and scheduled flights",
        _chart(rows),
        f"table=airline_performance&Total_Flights__gte={settings.FLIGHTS_TO_RANK}"
        "&Avg_Arrival_Delay__isnull=false&order_by=Avg_Arrival_Delay"
        "&limit=500&view=chart&chart=Airline_Name,Avg_Arrival_Delay",
    )


def _airline_sentence(rows: Rows) -> str:
    best, worst = _equal(rows, rows[0]), _equal(rows, rows[-1])
    if best == worst:
        return f"Flights of {_named(best)} land {minutes(rows[0].value)} on average{_of(best)}."
    return (
        f"Flights of {_named(best)} land {minutes(best[0].value)} on average{_of(best)}, the best"
        f" of {len(rows)} airlines{_enough('flight')}; those of {_named(worst)} land"
        f" {minutes(worst[0].value)}{_of(worst)}, the worst."
    )


def origins() -> Fact | None:
    return _cities(ORIGINS)


def destinations() -> Fact | None:
    return _cities(DESTINATIONS)


def _cities(side: Side) -> Fact | None:
    """The cities with the longest delays; None where none has enough late flights.

    A city without late departures (or arrivals) has 0 for their average, which says nothing.
    """
    rows = _rows(BusiestAirportsByDelays, "city", side.average, side.late)
    if not rows:
        return None
    rows.sort(key=lambda row: (-row.value, row.label))
    worst, late = _equal(rows, rows[0]), f"late {side.what}"
    among = f", the most of {len(rows)} {side.cities}" if len(rows) > 1 else ""
    late_column = column(BusiestAirportsByDelays, side.late)
    average = column(BusiestAirportsByDelays, side.average)
    return Fact(
        side.title,
        f"{late.capitalize()}s {side.place} {_named(worst)} are {minutes(worst[0].value)} on"
        f" average{_of(worst, late)}{among}{_enough(late)}.",
        f"Average minutes of a {late}, and {late}s",
        _chart(rows[:CITIES_SHOWN]),
        f"table=busiest_airports_by_delays&{late_column}__gte={settings.FLIGHTS_TO_RANK}"
        f"&order_by=-{average}&limit={CITIES_SHOWN}&view=chart&chart=City,{average}",
    )


def days() -> Fact | None:
    """The best and the worst day of the week; None where no day has enough flights."""
    rows = _rows(DelaysByDay, "day_of_week", "avg_arrival_delay", "total_flights")
    if not rows:
        return None
    week = sorted(rows, key=lambda row: WEEK.index(row[0]) if row[0] in WEEK else len(WEEK))
    return Fact(
        "Days of the week",
        _day_sentence(rows),
        "Average minutes late at arrival, and scheduled flights",
        _chart(week),
        f"table=delays_by_day&Total_Flights__gte={settings.FLIGHTS_TO_RANK}"
        "&Avg_Arrival_Delay__isnull=false&order_by=-Avg_Arrival_Delay"
        "&view=chart&chart=Day_of_Week,Avg_Arrival_Delay",
        standing=True,
    )


def _day_sentence(rows: Rows) -> str:
    best, worst = _equal(rows, rows[0]), _equal(rows, rows[-1])
    if best == worst:
        return f"On {_named(best)} flights land {minutes(best[0].value)} on average{_of(best)}."
    return (
        f"On {_named(worst)} flights land {minutes(worst[0].value)} on average{_of(worst)}, the"
        f" worst of the week; on {_named(best)} they land {minutes(best[0].value)}{_of(best)},"
        " the best."
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


def _rows(model: type[MirroredTable], label: str, value: str, flights: str) -> list[Row]:
    """The rows with a value and enough flights, the lowest value first."""

    def read(version: TableVersion) -> list[Any]:
        enough = {f"{value}__isnull": False, f"{flights}__gte": settings.FLIGHTS_TO_RANK}
        rows = versions.rows(model, version).filter(**enough).order_by(value, label)
        return list(rows.values_list(label, value, flights))

    return [Row(*row) for row in versions.read(model, read)]


def _chart(rows: Rows) -> charts.Chart:
    return charts.chart(
        [(row.label, row.value) for row in rows], [formatting.number(row.flights) for row in rows]
    )


def _equal(rows: Rows, one: Row) -> list[Row]:
    """The rows with the value of one of them, in the order of their labels."""
    return sorted(row for row in rows if row.value == one.value)


def _named(rows: Rows) -> str:
    return names([row.label for row in rows])


def _of(rows: Rows, what: str = "flight") -> str:
    return f" ({formatting.count(sum(row.flights for row in rows), what)})"


def _enough(what: str) -> str:
    return f" with at least {formatting.count(settings.FLIGHTS_TO_RANK, what)}"
