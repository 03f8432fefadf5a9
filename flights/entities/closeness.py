"""Suggest things for a text that matches nothing."""

from collections.abc import Iterator, Sequence
from datetime import date

from . import directory, flight_numbers, names, typos
from .directory import Directory
from .recognition import Mention
from .suggestions import suggest
from .things import Day, Entity, Flight

MOST = 6  # suggestions


def close(text: str, mentions: Sequence[Mention]) -> list[Entity]:
    """Things that resemble those that a text names, or whose names begin like the text."""
    known = directory.current()
    candidates = [*_alternatives(mentions, known), *suggest(text, MOST), *_words(text, known)]
    named = {mention.entity for mention in mentions if mention.exact}
    return [e for e in dict.fromkeys(candidates) if e not in named][:MOST]


def _alternatives(mentions: Sequence[Mention], known: Directory) -> Iterator[Entity]:
    for mention in mentions:
        entity = mention.entity
        if isinstance(entity, Day) and not entity.flights:
            yield from _days(entity.date, known)
        elif isinstance(entity, Flight) and not entity.flights:
            yield from _flights(entity)
        elif not mention.exact:
            yield from (entity, *mention.others)


def _days(day: date, known: Directory) -> Iterator[Day]:
    """The same day of other years, and the nearest day."""
    same = [d for d in known.days if (d.month, d.day) == (day.month, day.day)]
    nearest = sorted(known.days, key=lambda d: abs(d - day))[:1]
    yield from (Day(d, known.days[d]) for d in dict.fromkeys([*same, *nearest]))


def _flights(flight: Flight) -> Iterator[Entity]:
    """The airline's flights whose numbers begin with most of the same digits, and the airline."""
    for length in range(len(flight.number) - 1, 0, -1):
        if similar := flight_numbers.starting(flight.number[:length], [flight.airline], 3):
            yield from similar
            break
    yield flight.airline


def _words(text: str, known: Directory) -> Iterator[Entity]:
    for word in names.words(text):
        yield from typos.close(word.key, known)
