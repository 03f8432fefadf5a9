"""The aggregates of a measure, in a performance table or over the single flights."""

from functools import lru_cache

from flights import versions
from flights.models import TableVersion
from flights.models.mirrored import FlightDelayData
from flights.query.query import Query

from .frame import Measure
from .refusals import Refused
from .sources import EVERY_FLIGHT, Source

# Aggregates, and the filters of the flights that they count.
type Aggregates = tuple[tuple[str, ...], dict[str, str]]

COUNTED = {
    "on_time": "On_Time_Arrivals",
    "late": "Late_Arrivals",
    "cancelled": "Cancelled_Flights",
    "diverted": "Diverted_Flights",
}


def counted_dimension(measure: Measure) -> str:
    """The dimension whose values a measure counts."""
    return measure.what.replace("airport", "origin")


def of_performance(measure: Measure, source: Source) -> tuple[str, ...]:
    """The aggregates of a performance table."""
    flights = "sum:Scheduled_Flights"
    if measure.name == "flights":
        return (flights,)
    if measure.name == "number":
        return f"count_distinct:{source.columns[counted_dimension(measure)]}", flights
    counted = COUNTED[measure.name]
    return (f"sum:{counted}" if measure.count else f"percent:{counted}/Scheduled_Flights"), flights


def of_flights(measure: Measure) -> Aggregates:
    """The aggregates of single flights."""
    if measure.name == "flights":
        return ("count",), {}
    if measure.name == "number":
        column = EVERY_FLIGHT.columns[counted_dimension(measure)]
        return (f"count_distinct:{column}", "count"), {}
    if measure.name == "duration":
        return ("avg:Elapsed_Minutes", "count:Elapsed_Minutes"), {}
    if measure.name in ("cancelled", "flown", "diverted"):
        return _share(measure, *_cancelled(measure))
    delay = f"{'Departure' if measure.departure else 'Arrival'}_Delay_Minutes"
    if measure.name in ("on_time", "early", "late"):
        return _share(measure, *_punctual(measure, delay))
    function = {"average": "avg", "median": "disc50", "longest": "max"}.get(
        measure.name, f"disc{measure.of}"
    )
    return (f"{function}:{delay}", f"count:{delay}"), {}


def _share(measure: Measure, name: str, value: str) -> Aggregates:
    """The number or the share of the flights that meet a condition."""
    if measure.count:
        return ("count",), {name: value}
    return (f"share:{name}:{value}", "count"), {}


def _punctual(measure: Measure, delay: str) -> tuple[str, str]:
    """The condition on a delay."""
    _have_flags()
    limits = {
        "on_time": ("lt", 15),
        "early": ("lt", 0),
        "late": (measure.operator, measure.minutes),
    }
    operator, minutes = limits[measure.name]
    return f"{delay}__{operator}", str(minutes)


def _cancelled(measure: Measure) -> tuple[str, str]:
    """The condition on a flag; without flags, a flight that did not depart is cancelled."""
    value = "false" if measure.name == "flown" else "true"
    if _have_flags():
        return "Diverted" if measure.name == "diverted" else "Cancelled", value
    if measure.name == "diverted":
        raise Refused("Diversions are known only by month, day, airport, hour, route or flight.")
    return "Departure_Delay_Minutes__isnull", value


def _have_flags() -> bool:
    """Whether the flights state if they were cancelled.

    Refused if only some of them do, or if none has an arrival delay.
    """
    flights, flags, arrivals = versions.read(FlightDelayData, _counted)
    if not arrivals:
        raise Refused("The published flights have no arrival delays.")
    if flags not in (0, flights):
        raise Refused("Only some of the flights state whether they were cancelled.")
    return bool(flags)


@lru_cache(maxsize=4)
def _counted(version: TableVersion) -> tuple[int, int, int]:
    aggregate = "count,count:Cancelled,count:Arrival_Delay_Minutes"
    (row,) = Query.read(FlightDelayData, {"aggregate": aggregate}).page(version).rows
    flights, flags, arrivals = row.values()
    return flights, flags, arrivals
