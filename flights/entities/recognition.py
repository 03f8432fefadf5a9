"""Recognise in a text what it names: airlines, airports, cities, flights and days."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from . import dates, directory, flight_numbers, typos
from .aliases import ORDINARY
from .directory import Directory
from .flight_numbers import NumberMention
from .names import Word, words
from .things import Airline, Airport, City, Day, Entity, Flight, Route

LONGEST_NAME = 7  # words: "Minneapolis St. Paul International Wold Chamberlain"
LONGEST_TEXT = 1_000  # characters; the rest is not read

type Span = tuple[int, int]


@dataclass(frozen=True)
class Mention:
    """A place in a text that names something."""

    start: int
    end: int
    entity: Entity
    exact: bool  # False: the text has a typing error
    others: tuple[Entity, ...] = ()  # what else it may mean, the most likely first

    @property
    def namesakes(self) -> list[City]:
        """The other cities of a city's name: Portland in Oregon."""
        cities = [other for other in self.others if isinstance(other, City)]
        return cities if isinstance(self.entity, City) else []


def find(text: str) -> list[Mention]:
    """What a text names, in its order; the mentions do not overlap.

    A day and a flight number are recognised by their notation, whether they exist or not: one that
    does not has no flights.
    """
    text, known = text[:LONGEST_TEXT], directory.current()
    days = [_day(mention, known) for mention in dates.find(text, known.days)]
    named = _outside(days, _names(text, known))
    numbers = _outside(days, _flights(text, known, named))
    exact = [*days, *numbers, *_outside(numbers, named)]
    mentions = [*exact, *_typos(text, known, exact)]
    return sorted(mentions, key=lambda mention: mention.start)


def routes(text: str, mentions: Sequence[Mention]) -> list[Route]:
    """The routes between two places that a text names one after the other.

    "to Orlando from JFK" turns them round. Of cities with several airports, the route with most
    flights comes first; routes without flights are left out.
    """
    places = [m for m in mentions if isinstance(m.entity, Airport | City)]
    known = directory.current()
    for first, second in pairwise(places):
        ends = (second, first) if _turned(text, first, second) else (first, second)
        pairs = [(o, d) for o in airports(ends[0].entity) for d in airports(ends[1].entity)]
        existing = [r for o, d in pairs if (r := known.route(o.code, d.code))]
        if existing:
            return sorted(existing, key=lambda route: -(route.flights or 0))
    return []


def airports(place: Entity) -> tuple[Airport, ...]:
    """The airports of a place; none of other things."""
    if isinstance(place, City):
        return place.airports
    return (place,) if isinstance(place, Airport) else ()


def _turned(text: str, first: Mention, second: Mention) -> bool:
    before = text[: first.start].lower().split()[-1:]
    between = text[first.end : second.start].lower().split()
    return "from" in between or (before in (["to"], ["into"]) and "to" not in between)


def _day(mention: dates.DateMention, known: Directory) -> Mention:
    existing = [day for day in mention.days if day in known.days] or mention.days
    count = known.days.get
    first, *others = (Day(day, count(day, 0) if known.days else None) for day in existing)
    return Mention(mention.start, mention.end, first, True, tuple(others))


def _names(text: str, known: Directory) -> Iterator[Mention]:
    """The longest names and codes, from the left to the right."""
    parts, place = words(text), 0
    while place < len(parts):
        for end in range(min(place + LONGEST_NAME, len(parts)), place, -1):
            mention = _named(text, parts[place:end], known)
            if mention:
                yield mention
                place = end
                break
        else:
            place += 1


def _named(text: str, parts: list[Word], known: Directory) -> Mention | None:
    start, end, key = parts[0].start, parts[-1].end, "".join(part.key for part in parts)
    surface = text[start:end]
    entities: list[Entity] = list(known.names.get(key, ()))
    alone = surface == text.strip()
    if not _is_name(surface, key, alone):
        entities = []
    if code := _code(surface, known, alone):
        entities = [code, *(entity for entity in entities if entity != code)]
    return Mention(start, end, entities[0], True, tuple(entities[1:])) if entities else None


def _is_name(surface: str, key: str, alone: bool) -> bool:
    """An ordinary word, such as "mobile", is a name only with a capital; "la" in capitals."""
    if alone or (len(key) > 2 and key not in ORDINARY):
        return True
    return surface.isupper() if len(key) <= 3 else surface[:1].isupper()


def _code(surface: str, known: Directory, alone: bool) -> Airline | Airport | None:
    """The airline or airport of a code; a code of two letters is written in capitals."""
    code = surface.upper()
    thing = known.airports.get(code) or known.airlines.get(code)
    if thing is None:
        return None
    is_word = code.lower() in ORDINARY or (len(code) == 2 and code.isalpha())
    return thing if alone or surface.isupper() or not is_word else None


def _flights(text: str, known: Directory, named: Sequence[Mention]) -> Iterator[Mention]:
    airlines = [(m.start, m.end, m.entity) for m in named if isinstance(m.entity, Airline)]
    for number in flight_numbers.find(text, known.airlines, airlines):
        flights = _with_number(number, known, [airline for *_, airline in airlines])
        if flights:
            yield Mention(number.start, number.end, flights[0], True, tuple(flights[1:]))


def _with_number(
    mention: NumberMention, known: Directory, named: Sequence[Airline]
) -> Sequence[Flight]:
    """The flights that a number may mean: of its airline, of another one in the text, or of all."""
    airlines = [mention.airline] if mention.airline else list(dict.fromkeys(named))
    flights = flight_numbers.flights(mention.number, airlines or known.airlines.values())
    return flights or [Flight(airline, mention.number, 0) for airline in airlines]


def _typos(text: str, known: Directory, mentions: Sequence[Mention]) -> Iterator[Mention]:
    spans = [(mention.start, mention.end) for mention in mentions]
    for start, end, entities in typos.find(_free(words(text), spans), known):
        yield Mention(start, end, entities[0], False, tuple(entities[1:]))


def _free(parts: Iterable[Word], spans: Sequence[Span]) -> list[list[Word]]:
    """The words outside some spans, those beside each other together."""
    groups: list[list[Word]] = [[]]
    for part in parts:
        if any(start < part.end and part.start < end for start, end in spans):
            groups.append([])
        else:
            groups[-1].append(part)
    return groups


def _outside(taken: Sequence[Mention], mentions: Iterable[Mention]) -> list[Mention]:
    """The mentions that do not overlap with others."""
    return [
        m for m in mentions if all(m.end <= other.start or other.end <= m.start for other in taken)
    ]
