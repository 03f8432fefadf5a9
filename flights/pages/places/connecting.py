"""Two flights with a change between them, and how often the second is reached."""

from dataclasses import dataclass

from flights.pages import formatting
from flights.pages.charts import Figure, Lines, Series, Value
from flights.pages.formatting import percent

from . import delays, known
from .delays import Delays
from .known import Airport
from .outcomes import figure
from .page import Fact

STEPS = range(30, 245, 15)  # minutes between the flights, in the figure
UNIT = "%"


@dataclass(frozen=True)
class Connection:
    """Two flights with a change between them; the second may be unknown."""

    start: Airport
    via: Airport
    end: Airport | None
    first: Delays
    onward: Delays | None  # None: no second flight is in the tables
    minutes: int  # between the flights
    walk: int  # minutes from gate to gate

    def alone(self, minutes: int) -> float | None:
        """The percentage in time for a second flight that leaves on time."""
        return self.first.at_most(minutes - self.walk)

    def both(self, minutes: int) -> float | None:
        """The percentage in time for a second flight with its delays."""
        return self.first.connects(self.onward, minutes - self.walk) if self.onward else None


def answer(trip: Connection) -> str:
    flights = formatting.count(trip.first.flights, "flight")
    period = formatting.period(*known.period())
    at = trip.via.label
    minutes, walk = (formatting.count(n, "minute") for n in (trip.minutes, trip.walk))
    begin = f"With {minutes} at {at}, if the way from gate to gate takes {walk},"
    if trip.onward and trip.end:
        return (
            f"{begin} {percent(trip.both(trip.minutes))} of connections would have been made: of"
            f" {flights} {trip.start.code} to {trip.via.code} with"
            f" {formatting.count(trip.onward.flights, 'flight')} on to {trip.end.label} ({period})."
        )
    missing = (
        f"; no flight from {trip.via.code} to {trip.end.code} is in the tables" if trip.end else ""
    )
    return (
        f"{begin} {percent(trip.alone(trip.minutes))} of {flights} from {trip.start.label} arrived"
        f" in time for a second flight that leaves on time ({period}){missing}."
    )


def facts(trip: Connection) -> list[Fact]:
    missed = "counts as missed"
    second = (
        [
            Fact("in time, with the delays of the second flight", percent(trip.both(trip.minutes))),
            Fact("second flight cancelled", percent(trip.onward.missing_share), missed),
        ]
        if trip.onward
        else []
    )
    return [
        Fact("in time, if the second flight leaves on time", percent(trip.alone(trip.minutes))),
        *second,
        Fact("first flight cancelled or diverted", percent(trip.first.missing_share), missed),
        Fact("minutes that 9 of 10 first flights need", _needed(trip.first, trip.walk)),
    ]


def _needed(first: Delays, walk: int) -> str:
    """The minutes between the flights with which 90 % of first flights arrive in time."""
    delay = first.within(90)
    return "no time is enough" if delay is None else formatting.number(max(0, delay + walk))


def figures(trip: Connection) -> list[Figure]:
    first, onward = trip.first, trip.onward
    ways = {"if the second flight leaves on time": trip.alone}
    if onward:
        ways["with the delays of the second flight"] = trip.both
    lines = [
        Series(name, [Value(str(n), chance(n), first.flights) for n in STEPS])
        for name, chance in ways.items()
    ]
    measure = (
        f"Percent of connections by minutes between the flights; {trip.walk} are from gate to gate"
    )
    title, rows = "Chance of making the connection", first.rows
    chart = Lines(lines, UNIT, "Minutes between the flights")
    departures = "Departures of the second flight"
    return [
        figure("chances", title, measure, chart, rows, first.flights),
        delays.histogram("arrivals", "Arrivals of the first flight", first),
        *([delays.histogram("departures", departures, onward)] if onward else []),
    ]
