"""Everything that the published flights name: airlines, airports, cities, routes and days.

Each process reads it once for each set of versions, and keeps it in memory.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from flights import versions
from flights.errors import NeverTransferred
from flights.mirror import MirroredTable
from flights.models import TableVersion
from flights.models.mirrored import Airlines, Airports, PerformanceByDate, PerformanceByRoute

from . import markets, names
from .markets import most_first
from .things import Airline, Airport, City, Route

SOURCES: tuple[type[MirroredTable], ...]
SOURCES = (Airlines, Airports, PerformanceByRoute, PerformanceByDate)
COLUMNS = (
    ("airline_code", "airline_name"),
    ("airport", "airport_name", "city", "latitude", "longitude"),
    (
        *("origin", "origin_city", "destination", "destination_city"),
        *("airline_code", "scheduled_flights"),
    ),
    ("flight_date", "scheduled_flights"),
)

SHORTEST_TYPO = 5  # letters; shorter words resemble too many others

type Named = Airline | Airport | City
type Versions = tuple[TableVersion | None, ...]  # of SOURCES; None: never published

_lock = threading.Lock()


@dataclass(frozen=True, eq=False)  # compared by identity
class Directory:
    airlines: dict[str, Airline]  # by code, the one with the most flights first
    airports: dict[str, Airport]  # by code, the busiest first
    cities: dict[str, City]  # by name, the busiest first
    days: dict[date, int]  # flights of each day
    routes: dict[tuple[str, str], dict[str, int]]  # flights of each airline, by airport codes

    @cached_property
    def names(self) -> dict[str, tuple[Named, ...]]:
        """The things that each key of a name may mean, the most likely first; see `names`."""
        named = defaultdict(list)
        for thing, keys in self.keys:
            for key in keys:
                named[key].append(thing)
        return {key: tuple(sorted(things, key=_precedence)) for key, things in named.items()}

    @cached_property
    def keys(self) -> list[tuple[Named, set[str]]]:
        """Each thing with the keys of its names. A name of a city and an airport means the city."""
        cities = [(city, names.of_city(city)) for city in self.cities.values()]
        of_cities = set().union(*(keys for _, keys in cities))
        airports = [(a, names.of_airport(a) - of_cities) for a in self.airports.values()]
        return [*cities, *((a, names.of_airline(a)) for a in self.airlines.values()), *airports]

    @cached_property
    def long_keys(self) -> list[str]:
        """The keys that are long enough to be recognised despite a typing error."""
        return [key for key in self.names if len(key) >= SHORTEST_TYPO]

    @cached_property
    def period(self) -> tuple[date, date] | None:
        """The first and the last day with flights; None if there are no flights."""
        return (min(self.days), max(self.days)) if self.days else None

    @cached_property
    def destinations(self) -> dict[str, Counter[str]]:
        """Flights from each airport to each other one, by codes."""
        flights: dict[str, Counter[str]] = defaultdict(Counter)
        for (origin, destination), airlines in self.routes.items():
            flights[origin][destination] += sum(airlines.values())
        return flights

    def route(self, origin: str, destination: str) -> Route | None:
        """The route between two airport codes; None if no flight is scheduled on it."""
        airlines = self.routes.get((origin, destination))
        if not airlines:
            return None
        ends = self.airports[origin], self.airports[destination]
        return Route(*ends, flights=sum(airlines.values()))


def current() -> Directory:
    """The directory of the current versions."""
    return versions.with_retry(_current)


def _current() -> Directory:
    current = tuple(map(_version, SOURCES))
    with _lock:  # only one thread reads the tables
        return _read(current)


def _version(model: type[MirroredTable]) -> TableVersion | None:
    with suppress(NeverTransferred):
        return versions.current_cached(model)
    return None


@lru_cache(maxsize=2)  # while a transfer publishes, threads may still read the earlier versions
def _read(of: Versions) -> Directory:
    airlines, airports, routes, days = (
        _rows(model, version, *columns)
        for model, version, columns in zip(SOURCES, of, COLUMNS, strict=True)
    )
    by_route: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for origin, _, destination, _, airline, flights in routes:
        by_route[origin, destination][airline] = flights
    listed = _airports(airports, routes)
    return Directory(
        _by_code(_airlines(airlines, routes)),
        _by_code(listed),
        {city.name: city for city in most_first(markets.cities(listed, by_route))},
        dict(days),
        dict(by_route),
    )


def _rows(model: type[MirroredTable], version: TableVersion | None, *columns: str) -> list[Any]:
    return list(versions.rows(model, version).values_list(*columns)) if version else []


def _airlines(rows: list[Any], routes: list[Any]) -> list[Airline]:
    flights: Counter[str] = Counter()
    for *_, airline, number in routes:
        flights[airline] += number
    listed = {code: name for code, name in rows if code in flights or not routes}
    return [Airline(code, name, flights.get(code)) for code, name in listed.items()]


def _airports(rows: list[Any], routes: list[Any]) -> list[Airport]:
    """The airports that have flights. A flight from an airport to itself counts once."""
    flights: Counter[str] = Counter()
    cities: dict[str, str] = {}
    for origin, origin_city, destination, destination_city, _, number in routes:
        cities |= {origin: origin_city, destination: destination_city}
        for airport in {origin, destination}:
            flights[airport] += number
    listed = {code: rest for code, *rest in rows if code in flights or not routes}
    details = {**{code: (None, city, None, None) for code, city in cities.items()}, **listed}
    return [
        Airport(code, name, city, latitude, longitude, flights.get(code))
        for code, (name, city, latitude, longitude) in details.items()
    ]


def _by_code[T: (Airline, Airport)](things: Iterable[T]) -> dict[str, T]:
    return {thing.code: thing for thing in most_first(things)}


def _precedence(thing: Named) -> tuple[bool, int]:
    """Sort key of the things that share a name: airports last, the busiest first."""
    return isinstance(thing, Airport), -(thing.flights or 0)
