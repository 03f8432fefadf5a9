"""The cities of the airports, with the airports of each city's market."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from .aliases import MARKETS
from .things import Airline, Airport, City


def cities(airports: list[Airport], routes: dict[tuple[str, str], Any]) -> list[City]:
    """Each city with the airports of its market."""
    by_city: dict[str, list[Airport]] = defaultdict(list)
    for airport in airports:
        by_city[airport.city].append(airport)
    markets = {
        name: [airport for city in (name, *MARKETS.get(name, ())) for airport in by_city[city]]
        for name in list(by_city)
    }
    flights = _flights_by_market(markets, routes)
    return [
        City(name, tuple(most_first(airports)), flights[name] if routes else None)
        for name, airports in markets.items()
    ]


def _flights_by_market(
    markets: dict[str, list[Airport]], routes: dict[tuple[str, str], Any]
) -> Counter[str]:
    """A flight between two airports of a market counts once."""
    of_airport: dict[str, set[str]] = defaultdict(set)
    for name, airports in markets.items():
        for airport in airports:
            of_airport[airport.code].add(name)
    flights: Counter[str] = Counter()
    for (origin, destination), airlines in routes.items():
        for name in of_airport[origin] | of_airport[destination]:
            flights[name] += sum(airlines.values())
    return flights


def most_first[T: (Airline, Airport, City)](things: Iterable[T]) -> list[T]:
    """Sort things by their flights, then by their labels."""
    order: Callable[[T], Any] = lambda thing: (-(thing.flights or 0), thing.label)  # noqa: E731
    return sorted(things, key=order)
