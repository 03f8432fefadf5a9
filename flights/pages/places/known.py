"""The airlines, airports and days that the published tables name."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from flights import entities, links, versions
from flights.entities import directory
from flights.entities.aliases import MARKET_OF
from flights.entities.directory import Directory
from flights.models.mirrored import Airlines, Airports
from flights.pages.charts import Spot

from .missing import NoSuchThing, close
from .page import Link

# Codes of all airports of a city, by IATA. Other cities' codes are also those of an airport.
CITIES = {"NYC": "New York, NY", "CHI": "Chicago, IL", "WAS": "Washington, DC"}


class Airport(entities.Airport):
    """An airport as the pages write it."""

    @property
    def label(self) -> str:
        """`Orlando (MCO)`"""
        return f"{self.town} ({self.code})"

    @property
    def town(self) -> str:
        """`Orlando`"""
        return self.city.partition(",")[0]

    @property
    def market(self) -> str:
        """The city whose airports are an alternative: `New York, NY` for Newark."""
        return MARKET_OF.get(self.city, self.city)

    @property
    def spot(self) -> Spot:
        return Spot(self.code, self.latitude, self.longitude)


def airlines() -> dict[str, str]:
    """Names by code. Raises NeverTransferred if no published table names an airline."""
    names = _airlines(directory.current())
    return names or versions.read(Airlines, lambda _: names)


def airports() -> dict[str, Airport]:
    """Airports by code. Raises NeverTransferred if no published table names an airport."""
    known = _airports(directory.current())
    return known or versions.read(Airports, lambda _: known)


def period() -> tuple[date, date]:
    """The first and the last day with flights. Raises NoSuchThing without any."""
    days = directory.current().period
    if days is None:
        raise NoSuchThing("The published tables have no flights.")
    return days


def airline(code: str) -> str:
    """The name of an airline; NoSuchThing suggests close codes."""
    names = airlines()
    if code not in names:
        similar = [(f"{names[c]} ({c})", links.airline(c)) for c in close(code, names)]
        close_by = _close(code, similar, "airline")
        raise NoSuchThing(f"No airline has the code {code[:20]}.", close_by)
    return names[code]


def airport(code: str) -> Airport:
    """The airport of a code; NoSuchThing suggests those of a city, or close codes."""
    known = airports()
    if code in CITIES:
        of_city = [(each.label, links.airport(each.code)) for each in city(CITIES[code])]
        raise NoSuchThing(f"{code} is a city with several airports.", of_city)
    if code not in known:
        similar = [(known[c].label, links.airport(c)) for c in close(code, known)]
        close_by = _close(code, similar, "airport")
        raise NoSuchThing(f"No airport has the code {code[:20]}.", close_by)
    return known[code]


def airport_called(text: str) -> Airport:
    """The airport of a code or a name, such as `LaGuardia`; NoSuchThing suggests others."""
    known = airports()
    if text.upper() in known:
        return known[text.upper()]
    suggested = entities.suggest(text, 2, ("airport",))
    codes = [e.code for e in suggested if isinstance(e, entities.Airport) and e.code in known]
    return airport(codes[0] if len(codes) == 1 else text.upper())


def _close(text: str, similar: list[Link], kind: str) -> list[Link]:
    """Things of a kind whose codes or names resemble a text; codes have at most 3 letters."""
    named = [(entity.label, entity.url) for entity in entities.suggest(text, 6, (kind,))]
    return named or similar if len(text) > 3 else similar or named


def airline_name(code: str) -> str:
    return airlines().get(code, code)


def airport_label(code: str) -> str:
    known = airports().get(code)
    return known.label if known else code


def city(market: str) -> Sequence[Airport]:
    """All airports of a city."""
    return [airport for airport in airports().values() if airport.market == market]


@lru_cache(maxsize=2)
def _airlines(known: Directory) -> dict[str, str]:
    return {code: airline.name for code, airline in sorted(known.airlines.items())}


@lru_cache(maxsize=2)
def _airports(known: Directory) -> dict[str, Airport]:
    return {
        code: Airport(code, a.name or code, a.city, a.latitude, a.longitude, a.flights)
        for code, a in sorted(known.airports.items())
    }
