"""The things that can be compared, each with the outcomes of all its flights."""

import re
from dataclasses import dataclass
from datetime import date

from flights import entities, links
from flights.errors import BadQuery
from flights.mirror import MirroredTable
from flights.models.mirrored import (
    PerformanceByAirport,
    PerformanceByDate,
    PerformanceByFlight,
    PerformanceByMonth,
    PerformanceByRoute,
)
from flights.pages import formatting, table_rows
from flights.pages.table_rows import TableRows

from . import ends, known
from .missing import NoSuchThing
from .outcomes import SUM, Row, sums

ADDRESS = re.compile(r"(?:https?://[^/]+)?/(airlines|airports|routes|flights|days)/([^/?#]+)/?")
KINDS = "An airline (B6), an airport (JFK), a route (JFK-MCO), a flight (B6-583) or a day"


@dataclass(frozen=True)
class Thing:
    kind: str  # "airlines"
    name: str
    url: str  # of its page
    where: dict[str, str]  # filters of flight_delay_data
    rows: TableRows  # one row of `outcomes.sums`
    side: str = "of"  # between "flights" and the name

    @property
    def row(self) -> Row:
        return self.rows.rows[0]


def read(text: str) -> Thing:
    """The thing of the address of a page, of a code or a name. Raises BadQuery and NoSuchThing."""
    if match := ADDRESS.fullmatch(text):
        return MAKE[match[1]](match[2].upper())
    code = text.upper()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", code):
        return _day(code)
    if "-" in code:
        first = code.partition("-")[0]
        return _flight(code) if first in known.airlines() else _route(code)
    if code in known.airlines():
        return _airline(code)
    return _airport(code) if code in known.airports() else _named(text)


def _named(text: str) -> Thing:
    """The first thing with a page that a text names without doubt: `JetBlue`, `9 Feb 2013`."""
    urls = [mention.entity.url for mention in entities.find(text) if not mention.namesakes]
    return next((read(url) for url in urls if ADDRESS.fullmatch(url)), None) or _airport(
        text.upper()
    )


def _airline(code: str) -> Thing:
    name, where = known.airline(code), {"Airline_Code": code}
    return _thing("airlines", name, links.airline(code), PerformanceByMonth, where)


def _airport(code: str) -> Thing:
    airport = known.airport(code)
    departing = {"Airport": code, "Direction": "departing"}
    leaves = table_rows.read(PerformanceByAirport, {**departing, "limit": "1"}).rows
    way, column, side = (
        ("departing", "Origin", "from") if leaves else ("arriving", "Destination", "to")
    )
    name, url = airport.label, links.airport(code)
    rows = sums(PerformanceByAirport, {"Airport": code, "Direction": way})
    return Thing("airports", name, url, {column: code}, _some(rows, name), side)


def _route(codes: str) -> Thing:
    origin, dash, destination = codes.partition("-")
    if not dash:
        raise _unreadable(codes)
    start, end = ends.read(origin), ends.read(destination)
    where = start.where("Origin") | end.where("Destination")
    name, url = f"{start.label} to {end.label}", links.route(origin, destination)
    return _thing("routes", name, url, PerformanceByRoute, where, "from")


def _flight(codes: str) -> Thing:
    airline, dash, number = codes.rpartition("-")
    if not dash:
        raise _unreadable(codes)
    known.airline(airline)
    where = {"Airline_Code": airline, "Flight_Number": number}
    name, url = f"{airline} {number}", links.flight(airline, number)
    return _thing("flights", name, url, PerformanceByFlight, where)


def _day(text: str) -> Thing:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _unreadable(text) from None
    where = {"Flight_Date": day.isoformat()}
    return _thing("days", formatting.day(day), links.day(day), PerformanceByDate, where, "on")


def _thing(
    kind: str,
    name: str,
    url: str,
    model: type[MirroredTable],
    where: dict[str, str],
    side: str = "of",
) -> Thing:
    return Thing(kind, name, url, where, _some(sums(model, where), name), side)


def _some(rows: TableRows, name: str) -> TableRows:
    if not (rows.rows and rows.rows[0][SUM]):
        raise NoSuchThing(f"No flight of {name} is in the published tables.")
    return rows


def _unreadable(text: str) -> BadQuery:
    return BadQuery(f"{text[:40]!r} names nothing to compare. {KINDS} (2013-02-09).")


MAKE = {
    "airlines": _airline,
    "airports": _airport,
    "routes": _route,
    "flights": _flight,
    "days": _day,
}
