"""Suggest what the beginning of a text may become, the best first."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import lru_cache

from . import dates, directory, flight_numbers, names, reach, recognition, typos
from .directory import Directory
from .reach import Limits
from .things import KINDS, Airline, Airport, City, Day, Entity, Route

LIMIT, MOST = 8, 50  # suggestions
LONGEST = 100  # characters of a text
# How well a thing matches: its code, a whole name, the beginning of a name or of a word in it.
CODE, WHOLE, BEGIN, WORD, TYPO = 5, 4, 3, 2, 1
AIRPORTS = ("airport", "origin", "destination")  # kinds that are airports
FLIGHT_WORD = re.compile(r"(^|\s)(flight|flt|no|number)?\.?\s*#?$", re.IGNORECASE)
BETWEEN = re.compile(r"\s*(?:\bto\b|→|>|-|–|—)\s*|\s+", re.IGNORECASE)  # noqa: RUF001

type Score = float
type Scored = tuple[Score, Entity]


def suggest(
    prefix: str,
    limit: int = LIMIT,
    kinds: Collection[str] = KINDS,
    limits: Limits = Limits(),  # noqa: B008  # immutable
) -> list[Entity]:
    """Things whose name or code begins with a prefix, or nearly: the best, then the busiest.

    `kinds` are of KINDS, or `origin` and `destination`: airports that flights leave or reach. An
    empty prefix suggests the busiest things; a prefix without a letter or digit suggests nothing.
    `limits` restrict airports, airlines and their flights to those of some airports or an airline.
    """
    text, known = prefix[:LONGEST].strip(), directory.current()
    key = names.key(text)
    scored = list(_named(key, text, known, kinds, limits)) if key or not text else []
    if text and not limits:
        scored += [*_days(text, known, kinds), *_flights(text, known, kinds, limit)]
        scored += _routes(text, known, kinds)
    if key and not scored:
        scored = list(_misspelt(key, known, kinds, limits))
    ranked = sorted(scored, key=lambda pair: (-pair[0], -(pair[1].flights or 0)))
    return list(dict.fromkeys(entity for _, entity in ranked))[: min(limit, MOST)]


def _named(
    key: str, text: str, known: Directory, kinds: Collection[str], limits: Limits
) -> Iterator[Scored]:
    for thing, keys, later in _of_kinds(known, kinds):
        if score := _score(key, text, thing, keys, later):
            for existing in _within(thing, known, kinds, limits):
                yield score, existing


def _score(
    key: str, text: str, thing: Entity, keys: frozenset[str], later: frozenset[str]
) -> Score:
    if isinstance(thing, Airline | Airport) and thing.code == text.upper():
        return CODE
    if key in keys:
        return WHOLE
    if any(name.startswith(key) for name in keys):
        return BEGIN
    return WORD if any(name.startswith(key) for name in later) else 0


def _of_kinds(
    known: Directory, kinds: Collection[str]
) -> Iterator[tuple[Entity, frozenset[str], frozenset[str]]]:
    airports = any(kind in AIRPORTS for kind in kinds)
    for thing, keys, later in _entries(known):
        if isinstance(thing, City) and "city" in kinds:
            # The page of a city with one airport is the airport's.
            if len(thing.airports) > 1 or not airports:
                yield thing, keys, later
        elif (isinstance(thing, Airport) and airports) or thing.kind in kinds:
            yield thing, keys, later


@lru_cache(maxsize=2)
def _entries(known: Directory) -> list[tuple[Entity, frozenset[str], frozenset[str]]]:
    """Each thing with the keys of its names, and with the keys of their later words.

    An airport also has the names of its city and of its market.
    """
    of_airports: dict[str, set[str]] = {code: {code.lower()} for code in known.airports}
    for city in known.cities.values():
        for airport in city.airports:
            of_airports[airport.code] |= names.of_city(city)
    return [
        (
            thing,
            frozenset(keys | (of_airports[thing.code] if isinstance(thing, Airport) else set())),
            frozenset(_later(thing)),
        )
        for thing, keys in known.keys
    ]


def _later(thing: Entity) -> Iterator[str]:
    """`ohareinternationalairport` for "Chicago O'Hare International Airport", and so on."""
    texts = [thing.name or ""] if isinstance(thing, Airline | Airport | City) else []
    if isinstance(thing, Airport):
        texts.append(thing.city)
    for text in texts:
        parts = [word.key for word in names.words(text)]
        yield from ("".join(parts[place:]) for place in range(1, len(parts)))


def _within(
    thing: Entity, known: Directory, kinds: Collection[str], limits: Limits
) -> Iterator[Entity]:
    """The thing with the number of its flights within the limits; nothing if that is 0."""
    kind = next((kind for kind in AIRPORTS if kind in kinds), "airport")
    if isinstance(thing, Airline | Airport) and (limits or kind in ("origin", "destination")):
        counts = reach.flights(known, thing.kind if isinstance(thing, Airline) else kind, limits)
        if flights := counts.get(thing.code):
            yield replace(thing, flights=flights)
    elif not (limits and isinstance(thing, City)):
        yield thing


def _days(text: str, known: Directory, kinds: Collection[str]) -> Iterator[Scored]:
    """The days that have flights, if the text is a date."""
    for mention in dates.find(text, known.days) if "day" in kinds else ():
        if (mention.start, mention.end) == (0, len(text)):
            for day in mention.days:
                if day in known.days:
                    yield CODE, Day(day, known.days[day])


def _flights(text: str, known: Directory, kinds: Collection[str], limit: int) -> Iterator[Scored]:
    """Flights whose number begins with the digits at the end of the text."""
    digits = re.search(r"\d{1,4}$", text)
    if digits is None or "flight" not in kinds:
        return
    for place in range(digits.start(), len(text)):
        before, number = FLIGHT_WORD.sub("", text[:place].rstrip(" -")), text[place:]
        airlines = _airlines(before, known) if before else list(known.airlines.values())
        if airlines and (before or place == digits.start()):
            for flight in flight_numbers.starting(number, airlines, limit):
                yield (CODE if flight.number == number else BEGIN), flight


def _airlines(text: str, known: Directory) -> list[Airline]:
    if airline := known.airlines.get(text.strip().upper()):
        return [airline]
    return [t for t in known.names.get(names.key(text), ()) if isinstance(t, Airline)]


def _routes(text: str, known: Directory, kinds: Collection[str]) -> Iterator[Scored]:
    """Routes from the place at the beginning of the text: "JFK to orl", "new york mia"."""
    for between in BETWEEN.finditer(text) if "route" in kinds else ():
        origins = _places(text[: between.start()], known)
        rest = text[between.end() :]
        if origins and rest:
            score = WHOLE if between[0].strip() else WORD
            yield from ((score, route) for route in _routes_to(rest, origins, known))


def _routes_to(rest: str, origins: tuple[Airport, ...], known: Directory) -> Iterator[Route]:
    limits = Limits(origins=tuple(airport.code for airport in origins))
    for _, destination in _named(names.key(rest), rest, known, ("destination",), limits):
        assert isinstance(destination, Airport)
        for origin in origins:
            if route := known.route(origin.code, destination.code):
                yield route


def _places(text: str, known: Directory) -> tuple[Airport, ...]:
    text = re.sub(r"^\s*from\s+", "", text, flags=re.IGNORECASE).strip()
    if airport := known.airports.get(text.upper()):
        return (airport,)
    things = known.names.get(names.key(text), ())
    return next((a for thing in things if (a := recognition.airports(thing))), ())


def _misspelt(
    key: str, known: Directory, kinds: Collection[str], limits: Limits
) -> Iterator[Scored]:
    similar = set(typos.beginning(key, known))
    for thing, keys, _ in _of_kinds(known, kinds):
        if similar & keys:
            for existing in _within(thing, known, kinds, limits):
                yield TYPO, existing
