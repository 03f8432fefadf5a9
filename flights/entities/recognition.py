"""Recognise the airlines, airports, cities, flights and days that a text names."""

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
    """The things that a text names, in the order of the text; the mentions do not overlap.

    Days and flight numbers are recognised by their notation, even if the data lack them; then their
    number of flights is 0.
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

    "to Orlando from JFK" names the destination first. Cities with several airports give several
    routes, the one with the most flights first. Routes without flights are left out.
    """
    places = [m for m in mentions if isinstance(m.entity, Airport | City)]
    known = directory.current()
    for first, second in pairwise(places):
        ends = (second, first) if _is_reversed(text, first, second) else (first, second)
        pairs = [(o, d) for o in airports(ends[0].entity) for d in airports(ends[1].entity)]
        existing = [r for o, d in pairs if (r := known.route(o.code, d.code))]
        if existing:
            return sorted(existing, key=lambda route: -(route.flights or 0))
    return []


def airports(place: Entity) -> tuple[Airport, ...]:
    """The airports of a city, or the airport itself; empty for other things."""
    if isinstance(place, City):
        return place.airports
    return (place,) if isinstance(place, Airport) else ()


def _is_reversed(text: str, first: Mention, second: Mention) -> bool:
    before = text[: first.start].lower().split()[-1:]
    between = text[first.end : second.start].lower().split()
    return "from" in between or (before in (["to"], ["into"]) and "to" not in between)


def _day(mention: dates.DateMention, known: Directory) -> Mention:
    existing = [day for day in mention.days if day in known.days] or mention.days
    count = known.days.get
    first, *others = (Day(day, count(day, 0) if known.days else None) for day in existing)
    return Mention(mention.start, mention.end, first, True, tuple(others))


def _names(text: str, known: Directory) -> Iterator[Mention]:
    """Names and codes from left to right; of overlapping names, the longest."""
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
    """An ordinary word such as "mobile" is a name only if capitalised, "la" only as "LA"."""
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
    """The flights with a number, of its airline, else of those in the text, else of any airline."""
    airlines = [mention.airline] if mention.airline else list(dict.fromkeys(named))
    flights = flight_numbers.flights(mention.number, airlines or known.airlines.values())
    return flights or [Flight(airline, mention.number, 0) for airline in airlines]


def _typos(text: str, known: Directory, mentions: Sequence[Mention]) -> Iterator[Mention]:
    spans = [(mention.start, mention.end) for mention in mentions]
    for start, end, entities in typos.find(_words_outside(words(text), spans), known):
        yield Mention(start, end, entities[0], False, tuple(entities[1:]))


def _words_outside(parts: Iterable[Word], spans: Sequence[Span]) -> list[list[Word]]:
    """The words outside all spans, in groups of neighbouring words."""
    groups: list[list[Word]] = [[]]
    for part in parts:
        if any(start < part.end and part.start < end for start, end in spans):
            groups.append([])
        else:
            groups[-1].append(part)
    return groups


def _outside(others: Sequence[Mention], mentions: Iterable[Mention]) -> list[Mention]:
    """The mentions that overlap with none of the others."""
    return [
        m for m in mentions if all(m.end <= other.start or other.end <= m.start for other in others)
    ]
