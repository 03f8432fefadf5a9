"""Flight numbers in a text: `B6 583`, `b6583`, `JetBlue 583`, `flight 583 of JetBlue`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import Sum

from flights import versions
from flights.errors import NeverTransferred
from flights.models import TableVersion
from flights.models.mirrored import PerformanceByFlight
from flights.query import cost

from .aliases import ORDINARY
from .things import Airline, Flight

NUMBER = r"(?P<number>\d{1,4})(?!\d|[.,:/-]\d|\s*%)"
CODE = re.compile(rf"(?<!\w)(?P<code>[a-z0-9]{{2}})(?P<gap>[ -]?){NUMBER}(?!\w)", re.IGNORECASE)
# "JetBlue 583", "JetBlue flight no. 583": what may follow the name of an airline.
AFTER_NAME = re.compile(
    rf"[\s,-]*(?P<word>(?:flight|flt)\.?\s*)?(?:no\.?|number|nr\.?|#)?\s*{NUMBER}(?!\w)",
    re.IGNORECASE,
)
ALONE = re.compile(
    rf"(?<!\w)(?:flight|flt)\.?\s*(?:no\.?|number|nr\.?|#)?\s*{NUMBER}(?!\w)", re.IGNORECASE
)
# "United 30 minutes late" is no flight number.
UNIT = re.compile(
    r"\s*(?:or more\b|or less\b|percent|per cent|min|hour|hr|h\b|day|week|month|mile|year|am\b|pm\b"
    r"|flights|best|worst|airlines|airports|routes|cities|times)",
    re.IGNORECASE,
)
MOST = 1_000  # numbers of an airline that begin with the same digits


class NumberMention(NamedTuple):
    start: int
    end: int
    number: str
    airline: Airline | None  # None: the text names no airline beside it


def find(
    text: str, airlines: Mapping[str, Airline], named: Iterable[tuple[int, int, Airline]]
) -> list[NumberMention]:
    """The flight numbers of a text, in which some names of airlines are already known."""
    mentions: list[NumberMention] = []
    for mention in (*_by_code(text, airlines), *_by_name(text, named), *_alone(text)):
        if all(mention.end <= m.start or m.end <= mention.start for m in mentions):
            mentions.append(mention)
    return sorted(mentions, key=lambda mention: mention.start)


def flights(number: str, airlines: Iterable[Airline]) -> list[Flight]:
    """The flights with a number, of any of the airlines; the most frequent first."""
    return _flights(airlines, flight_number=number)


def starting(digits: str, airlines: Iterable[Airline], limit: int) -> list[Flight]:
    """The flights whose number begins with some digits: the number itself, then by frequency."""
    every = _flights(airlines, flight_number__startswith=digits)
    return sorted(every, key=lambda flight: flight.number != digits)[:limit]


def _flights(airlines: Iterable[Airline], **condition: str) -> list[Flight]:
    by_code = {airline.code: airline for airline in airlines}
    try:
        rows = versions.read(
            PerformanceByFlight,
            lambda version: _rows(version, tuple(by_code), tuple(condition.items())),
        )
    except NeverTransferred:
        return []
    return [Flight(by_code[code], number, flights) for code, number, flights in rows]


@lru_cache(maxsize=1024)  # while people type, each letter is a request
def _rows(
    version: TableVersion, airlines: tuple[str, ...], condition: tuple[tuple[str, str], ...]
) -> list[Any]:
    rows = versions.rows(PerformanceByFlight, version)
    matching = rows.filter(airline_code__in=airlines, **dict(condition))
    counted = matching.values_list("airline_code", "flight_number").annotate(
        flights=Sum("scheduled_flights")
    )
    return cost.fetch(counted.order_by("-flights", "airline_code", "flight_number")[:MOST], version)


def _by_code(text: str, airlines: Mapping[str, Airline]) -> Iterator[NumberMention]:
    for match in CODE.finditer(text):
        airline = airlines.get(match["code"].upper())
        if airline and _is_code(match, text) and not UNIT.match(text, match.end()):
            yield NumberMention(match.start(), match.end(), _number(match), airline)


def _alone(text: str) -> Iterator[NumberMention]:
    for match in ALONE.finditer(text):
        yield NumberMention(match.start(), match.end(), _number(match), None)


def _is_code(match: re.Match[str], text: str) -> bool:
    """Whether letters before a number are a code: in "as 30 flights" they are a word."""
    code = match["code"]
    alone = match.span() == (0, len(text.strip()))
    return not code.isdigit() and (
        code.isupper() or alone or not match["gap"] or code.lower() not in ORDINARY
    )


def _by_name(text: str, named: Iterable[tuple[int, int, Airline]]) -> Iterator[NumberMention]:
    for start, end, airline in named:
        match = AFTER_NAME.match(text, end)
        if not match or UNIT.match(text, match.end()):
            continue
        if match["word"] or not _is_year(match["number"]):
            yield NumberMention(start, match.end(), _number(match), airline)


def _is_year(number: str) -> bool:
    return number[:2] in ("19", "20") and len(number) == 4


def _number(match: re.Match[str]) -> str:
    return match["number"].lstrip("0") or "0"
