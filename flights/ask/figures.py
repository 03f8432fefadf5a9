"""Run a plan: the figures of an answer, each with its label and its number of flights."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from flights import links, versions
from flights.entities import directory
from flights.models import TableVersion

from .plan import Plan


@dataclass(frozen=True)
class Figure:
    """A figure of all matching flights, or of one group of them."""

    keys: dict[str, Any]  # by column; empty for all flights
    label: str
    value: float | None
    flights: int
    page: str | None = None  # the address of the group's page


@dataclass(frozen=True)
class Figures:
    rows: list[Figure]
    more: bool  # whether further groups were left out
    version: TableVersion


def read(plan: Plan) -> Figures:
    """The figures of the current version. Raises BadQuery or Unavailable, as the API does."""
    query = plan.query()

    def page(version: TableVersion) -> Figures:
        result = query.page(version)
        rows = [_figure(len(plan.group_by), row) for row in result.rows]
        return Figures(rows, result.next is not None, version)

    return versions.read(plan.model, page)


def _figure(keys: int, row: dict[str, Any]) -> Figure:
    """A row has the columns of the group, the figure and the number of flights, in this order."""
    items = list(row.items())
    group, value, flights = dict(items[:keys]), items[keys][1], items[-1][1]
    rounded = round(value, 2) if isinstance(value, float) else value
    return Figure(group, label(group), rounded, flights or 0, page(group))


def label(keys: dict[str, Any]) -> str:
    """The name of a group for people."""
    if {"Airline_Code", "Flight_Number"} == keys.keys():
        return f"{airline(keys['Airline_Code'])} flight {keys['Flight_Number']}"
    if {"Origin", "Destination"} == keys.keys():
        return f"{airport(keys['Origin'])} to {airport(keys['Destination'])}"
    return ", ".join(_label(name, value) for name, value in keys.items())


def _label(name: str, value: Any) -> str:
    if value is None:
        return "unknown"
    if name == "Airline_Code":
        return airline(value)
    if name in ("Origin", "Destination", "Airport"):
        return airport(value)
    if name == "Scheduled_Departure_Hour":
        return f"{value:02}:00 to {value:02}:59"
    if name.startswith("year_"):
        return str(value.year)
    if name.startswith("month_") or name == "Month":
        return f"{value:%B %Y}"
    return f"{value.day} {value:%B %Y}" if isinstance(value, date) else str(value)


def airline(code: str) -> str:
    """`JetBlue Airways (B6)`"""
    known = directory.current().airlines.get(code)
    return known.label if known else code


def airport(code: str) -> str:
    """`Orlando (MCO)`; `New York JFK` where a city has several airports."""
    known = directory.current()
    if code not in known.airports:
        return code
    city = known.airports[code].city
    several = sum(other.city == city for other in known.airports.values()) > 1
    name = city.partition(",")[0]
    return f"{name} {code}" if several else f"{name} ({code})"


def page(keys: dict[str, Any]) -> str | None:
    """The address of the page about a group; None if it has none."""
    names = keys.keys()
    if names == {"Airline_Code"}:
        return links.airline(keys["Airline_Code"])
    if names == {"Airline_Code", "Flight_Number"}:
        return links.flight(keys["Airline_Code"], keys["Flight_Number"])
    if names == {"Origin", "Destination"}:
        return links.route(keys["Origin"], keys["Destination"])
    if names == {"Flight_Date"}:
        return links.day(keys["Flight_Date"])
    for name in ("Origin", "Destination", "Airport"):
        if names == {name}:
            return links.airport(keys[name])
    return None
