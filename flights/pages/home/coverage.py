"""The headline of the home page: the flights, period and places that the tables cover."""

from datetime import date

from flights import versions
from flights.entities.aliases import MARKET_OF
from flights.models import PublishedTable
from flights.models.mirrored import FlightDelayData
from flights.pages import formatting
from flights.search import dictionary

type Period = tuple[date, date]  # the first and the last day with flights

HEADLINE_CITIES = 3  # a headline with more cities states their number instead


def headline(days: Period | None) -> str:
    """`Flights from New York, 2013`"""
    if days is None:
        return "Flight delays"
    first, last = days[0].year, days[1].year
    years = str(first) if first == last else f"{first} – {last}"  # noqa: RUF001
    return f"Flights from {_origins()}, {years}"


def figures(published: dict[str, PublishedTable], days: Period | None) -> list[tuple[str, str]]:
    """Label and text of each figure below the headline.

    The numbers are the rows of tables with one row for each flight, airline or airport.
    """
    tables = {"Flights": "flight_delay_data", "Airlines": "airlines", "Airports": "airports"}
    rows = {name: formatting.number(entry.current.rows) for name, entry in published.items()}
    return [
        *([("Period", formatting.period(*days))] if days else []),
        *((label, rows[table]) for label, table in tables.items() if table in rows),
        *(
            [("Published", formatting.day(max(p.since for p in published.values())))]
            if rows
            else []
        ),
    ]


def _origins() -> str:
    """The cities that flights leave, the busiest first; their number if there are many."""
    position = [field.name for field in FlightDelayData.columns()].index("origin_city")
    cities = versions.read(FlightDelayData, lambda version: dictionary.values(version, position))
    markets = list(dict.fromkeys(MARKET_OF.get(city, city) for city in cities))
    if len(markets) > HEADLINE_CITIES:
        return f"{formatting.number(len(markets))} cities"
    *before, last = [market.partition(",")[0] for market in markets]
    return f"{', '.join(before)} and {last}" if before else last
