"""Both ends of a route: an airport, all airports of a city, or several airports."""

from collections.abc import Sequence
from dataclasses import dataclass

from flights import links

from . import known
from .known import CITIES, Airport
from .missing import NoSuchThing
from .page import Link

MOST = 10  # airports at one end


@dataclass(frozen=True)
class End:
    code: str  # as in the address
    airports: Sequence[Airport]

    @property
    def codes(self) -> list[str]:
        return [airport.code for airport in self.airports]

    @property
    def several(self) -> bool:
        return len(self.airports) > 1

    @property
    def label(self) -> str:
        """`Orlando (MCO)`, `New York (EWR, JFK, LGA)`"""
        towns = list(dict.fromkeys(airport.market.partition(",")[0] for airport in self.airports))
        town = self.airports[0].town if not self.several else " or ".join(towns)
        return f"{town} ({', '.join(self.codes)})"

    def where(self, column: str) -> dict[str, str]:
        """The filter of a column with codes of airports."""
        if self.several:
            return {f"{column}__in": ",".join(self.codes)}
        return {column: self.codes[0]}

    @property
    def whole_city(self) -> "End | None":
        """All airports of the city, if it has more than these."""
        others = known.city(self.airports[0].market)
        more = len(others) > len(self.airports)
        return End(city_code(others), others) if more else None


def read(code: str) -> End:
    """The end that a part of an address names: `MCO`, `NYC`, `EWR,JFK`. Raises NoSuchThing."""
    if market := CITIES.get(code):
        if airports := known.city(market):
            return End(code, airports)
        raise NoSuchThing(f"No airport of {market} has flights in the published tables.")
    codes = sorted(dict.fromkeys(filter(None, code.split(","))))
    if not 0 < len(codes) <= MOST:
        raise NoSuchThing(f"A route begins and ends at 1 to {MOST} airports.")
    return End(code, [known.airport(each) for each in codes])


def city_code(airports: Sequence[Airport]) -> str:
    """`NYC`, `DAL,DFW`, `MCO`"""
    codes = {market: code for code, market in CITIES.items()}
    market = airports[0].market
    return codes.get(market, ",".join(airport.code for airport in airports))


def airport_links(end: End) -> list[Link]:
    return [(airport.label, links.airport(airport.code)) for airport in end.airports]
