"""The mirrored tables, in the order in which people see them."""

from collections.abc import Iterable

from .errors import BadQuery, UnknownTable
from .mirror import MirroredTable
from .models.mirrored import averages, flight_delay_data, lists, performance

TABLES: list[type[MirroredTable]] = [
    averages.AirlinePerformance,
    averages.BusiestAirportsByDelays,
    averages.DelaysByDay,
    performance.PerformanceByMonth,
    performance.PerformanceByDate,
    performance.PerformanceByAirport,
    performance.PerformanceByHour,
    performance.PerformanceByRoute,
    performance.PerformanceByFlight,
    lists.Airlines,
    lists.Airports,
    flight_delay_data.FlightDelayData,
]

NAMES = [model._meta.db_table for model in TABLES]
_BY_NAME = dict(zip(NAMES, TABLES, strict=True))


def by_name(name: str) -> type[MirroredTable]:
    """The table with this public name, in any case; UnknownTable if it does not exist."""
    try:
        return _BY_NAME[name.strip().lower()]
    except KeyError:
        message = f"There is no table {name[:80]!r}. There are: {', '.join(NAMES)}."
        raise UnknownTable(message, NAMES) from None


def by_names(names: Iterable[str]) -> list[type[MirroredTable]]:
    """The tables with these names, without repetition; BadQuery if there is no name."""
    models = list(dict.fromkeys(by_name(name) for name in names))
    if not models:
        raise BadQuery(f"Name a table: {', '.join(NAMES)}.", NAMES)
    return models
