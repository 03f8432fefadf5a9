"""Addresses of rows, and of the pages about airlines, airports, routes, flights and days."""

from collections.abc import Mapping
from datetime import date
from urllib.parse import quote, urlencode


def airline(code: str) -> str:
    """`/airlines/B6/`"""
    return f"/airlines/{_segment(code)}/"


def airport(code: str) -> str:
    """`/airports/JFK/`"""
    return f"/airports/{_segment(code)}/"


def route(origin: str, destination: str) -> str:
    """`/routes/EWR-MCO/`, of two airport codes."""
    return f"/routes/{_segment(origin)}-{_segment(destination)}/"


def flight(airline: str, number: str) -> str:
    """`/flights/B6-583/`, of an airline's code and a flight number."""
    return f"/flights/{_segment(airline)}-{_segment(number)}/"


def day(day: date) -> str:
    """`/days/2013-02-09/`"""
    return f"/days/{day.isoformat()}/"


def connection(origin: str, via: str, destination: str, minutes: int) -> str:
    """`/connections/?from=JFK&via=ORD&to=LAX&minutes=45`"""
    return _query(
        "/connections/", {"from": origin, "via": via, "to": destination, "minutes": str(minutes)}
    )


def compare(first: str, second: str) -> str:
    """`/compare/?a=…&b=…`, of the addresses of two pages of the same kind."""
    return _query("/compare/", {"a": first, "b": second})


def search(text: str) -> str:
    """`/search?q=boston`"""
    return _query("/search", {"q": text})


def ask(question: str) -> str:
    """`/ask?q=…`"""
    return _query("/ask", {"q": question})


def rows(table: str, params: Mapping[str, str | None]) -> str:
    """`/api/airports/?City=Boston,%20MA`: the API's rows of a query."""
    return address(f"/api/{table}/", params)


def explorer(table: str, params: Mapping[str, str | None]) -> str:
    """`/explorer?table=airports&City=Boston,%20MA`: the same rows for people."""
    return address("/explorer", {"table": table, **params})


def address(path: str, params: Mapping[str, str | None]) -> str:
    """A relative URL with readable parameters; those that are None are left out."""
    present = {name: value for name, value in params.items() if value is not None}
    return f"{path}?{urlencode(present, quote_via=quote, safe=',')}"


def _query(path: str, params: dict[str, str]) -> str:
    return f"{path}?{urlencode(params, quote_via=quote)}"


def _segment(text: str) -> str:
    return quote(text, safe=",")
