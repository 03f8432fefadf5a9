"""The parts of a search: things that it names, and the other words."""

import re
from dataclasses import dataclass, field

from flights import entities
from flights.entities import Airline, Airport, City, Entity, Mention, Route
from flights.entities.aliases import ORDINARY
from flights.errors import BadQuery

from . import dictionary

WORDS = 8  # most terms of a search
# Beside a thing, these only connect: "flights from JFK to Orlando".
CONNECTING = frozenset(
    (
        *("a", "airline", "airlines", "airport", "airports", "all", "and", "at", "by", "flight"),
        *("flights", "for", "from", "in", "into", "of", "on", "or", "the", "to", "via", "with"),
    )
)
TO = re.compile(r"\s*(to|into|->|→|>|-|–)\s*", re.IGNORECASE)  # noqa: RUF001


@dataclass(frozen=True)
class Term:
    """A part of a search. A matching row contains every term of the search."""

    text: str  # in lower case and without accents
    things: list[Entity] = field(default_factory=list)  # of the same kind: rows about any of them
    as_text: bool = False  # in a table without the things, values that contain the text match
    exact: bool = True  # False: the things are what a word with a typing error may mean
    end: str = ""  # `origin` or `destination`, for a place that is only this end of a flight


@dataclass(frozen=True)
class Terms:
    """The terms, mentions and routes that a search text means."""

    text: str
    mentions: list[Mention]
    routes: list[Route]  # between the places that the text names, the one with most flights first
    terms: list[Term]


def read(text: str) -> Terms:
    """Understand a text. Raises BadQuery for too many terms."""
    mentions = entities.find(text)
    terms = [*(_term(text, m, mentions) for m in mentions), *_words(text, mentions)]
    if not 0 < len(terms) <= WORDS:
        raise BadQuery(f"q has {len(terms)} words. Use 1 to {WORDS}.")
    return Terms(text, mentions, entities.routes(text, mentions), terms)


def _term(text: str, mention: Mention, mentions: list[Mention]) -> Term:
    entity, surface = mention.entity, text[mention.start : mention.end]
    if surface.lower() in ORDINARY and not surface.isupper():
        return Term(dictionary.fold(surface))  # "san" is rather San Francisco than its code
    return Term(
        dictionary.fold(surface),
        [e for e in (entity, *mention.others) if e.kind == entity.kind],
        as_text=isinstance(entity, Airline | Airport | City) and surface.upper() != _code(entity),
        exact=mention.exact,
        end=_end(text, mention, mentions) if isinstance(entity, Airport | City) else "",
    )


def _code(entity: Entity) -> str:
    return entity.code if isinstance(entity, Airline | Airport) else ""


def _end(text: str, mention: Mention, mentions: list[Mention]) -> str:
    """Which end of a flight a place is, by the word before it or by what connects it."""
    places = [m for m in mentions if isinstance(m.entity, Airport | City)]
    after = next((m for m in places if m.start >= mention.end), None)
    before = next((m for m in reversed(places) if m.end <= mention.start), None)
    preposition = text[: mention.start].lower().split()[-1:]
    if preposition == ["from"] or (after and TO.fullmatch(text[mention.end : after.start])):
        return "origin"
    if preposition in (["to"], ["into"]) or (
        before and TO.fullmatch(text[before.end : mention.start])
    ):
        return "destination"
    return ""


def _words(text: str, mentions: list[Mention]) -> list[Term]:
    """The words that no mention covers."""
    rest = list(text)
    for mention in mentions:
        rest[mention.start : mention.end] = " " * (mention.end - mention.start)
    words = list(dict.fromkeys(dictionary.fold("".join(rest)).split()))
    if mentions:
        words = [w.strip(",;:?!().") for w in words if any(map(str.isalnum, w))]
        words = [word for word in words if word not in CONNECTING]
    return [Term(word) for word in words]
