"""The things that people name.

Each has a `label` for people, a `detail` that helps to recognise it, the `value` to write in a
field or a search, and the `url` of its page.

`flights` is the number of scheduled flights of the published tables; None if it is not known.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from flights import links


@dataclass(frozen=True)
class Airline:
    kind: ClassVar[str] = "airline"
    code: str
    name: str
    flights: int | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """`JetBlue Airways (B6)`"""
        return f"{self.name} ({self.code})"

    @property
    def value(self) -> str:
        """What to write in a field or in a search for it."""
        return self.code

    @property
    def detail(self) -> str:
        """What else helps to recognise it."""
        return "airline"

    @property
    def url(self) -> str:
        return links.airline(self.code)


@dataclass(frozen=True)
class Airport:
    kind: ClassVar[str] = "airport"
    code: str
    name: str | None  # None: the list of airports does not have it
    city: str
    latitude: float | None = field(default=None, compare=False)  # None: not known
    longitude: float | None = field(default=None, compare=False)
    flights: int | None = field(default=None, compare=False)  # from or to the airport

    @property
    def label(self) -> str:
        """`Orlando International (MCO)`"""
        return f"{(self.name or self.city).removesuffix(' Airport')} ({self.code})"

    @property
    def value(self) -> str:
        """`MCO`"""
        return self.code

    @property
    def detail(self) -> str:
        """`Orlando, FL`"""
        return self.city

    @property
    def url(self) -> str:
        return links.airport(self.code)


@dataclass(frozen=True)
class City:
    """A city, or the market of a city: the DOT counts Newark to New York."""

    kind: ClassVar[str] = "city"
    name: str
    airports: tuple[Airport, ...]  # the busiest first
    flights: int | None = field(default=None, compare=False)  # each counted once

    @property
    def label(self) -> str:
        """`New York, NY`"""
        return self.name

    @property
    def value(self) -> str:
        """`New York, NY`"""
        return self.name

    @property
    def detail(self) -> str:
        """`EWR, JFK, LGA`"""
        return ", ".join(airport.code for airport in self.airports)

    @property
    def url(self) -> str:
        """The page of its airport; of several airports, the search that lists them."""
        return self.airports[0].url if len(self.airports) == 1 else links.search(self.name)

    @property
    def names(self) -> tuple[str, ...]:
        """Its name and those of the market's other cities, as the tables write them."""
        return tuple(dict.fromkeys((self.name, *(airport.city for airport in self.airports))))


@dataclass(frozen=True)
class Route:
    kind: ClassVar[str] = "route"
    origin: Airport
    destination: Airport
    flights: int | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """`JFK to MCO, Orlando, FL`"""
        return f"{self.origin.code} to {self.destination.code}, {self.destination.city}"

    @property
    def value(self) -> str:
        """`JFK to MCO`"""
        return f"{self.origin.code} to {self.destination.code}"

    @property
    def detail(self) -> str:
        """`New York, NY to Orlando, FL`"""
        return f"{self.origin.city} to {self.destination.city}"

    @property
    def url(self) -> str:
        return links.route(self.origin.code, self.destination.code)


@dataclass(frozen=True)
class Flight:
    kind: ClassVar[str] = "flight"
    airline: Airline
    number: str  # without the airline's code
    flights: int | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """`B6 583, JetBlue Airways`"""
        return f"{self.airline.code} {self.number}, {self.airline.name}"

    @property
    def value(self) -> str:
        """`B6 583`"""
        return f"{self.airline.code} {self.number}"

    @property
    def detail(self) -> str:
        """`JetBlue Airways`"""
        return self.airline.name

    @property
    def url(self) -> str:
        return links.flight(self.airline.code, self.number)


@dataclass(frozen=True)
class Day:
    kind: ClassVar[str] = "day"
    date: date
    flights: int | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """`Saturday, 9 February 2013`"""
        return f"{self.date:%A}, {self.date.day} {self.date:%B} {self.date.year}"

    @property
    def value(self) -> str:
        """`2013-02-09`"""
        return self.date.isoformat()

    @property
    def detail(self) -> str:
        """What else helps to recognise it."""
        return "day"

    @property
    def url(self) -> str:
        return links.day(self.date)


type Entity = Airline | Airport | City | Route | Flight | Day

KINDS = ("airline", "airport", "city", "route", "flight", "day")
