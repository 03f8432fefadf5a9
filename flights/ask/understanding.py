"""Understand a question: its constituents become a `Frame`."""

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

from flights.entities import Airline, Airport, Entity, Flight

from . import constituents, conversation, groups, lexer, measures, pairs, places, states, times
from .constituents import Constituent, Unreadable
from .frame import GOOD, Frame, Measure
from .lexer import Words
from .refusals import Refused, Unread

LONGEST = 300  # characters of a question
ARE = re.compile(
    r"\s+(?:(?:that|which)\s+)?(?:are|were|is|was|come|came)\b(?!\s+there)", re.IGNORECASE
)
MOST_CHOICES = 4  # meanings of an ambiguous name that a refusal lists


def understand(question: str, previous: Frame | None = None) -> tuple[Frame, Words]:
    """The frame of a question, and its words. Raises Refused."""
    if not 0 < len(question.strip()) <= LONGEST:
        raise Refused(f"A question has 1 to {LONGEST} characters.")
    words = lexer.read(question)
    _check(question, words)
    try:
        parts = constituents.parse(words)
    except Unreadable:
        raise Unread("I know these words, but not in this order.") from None
    if not parts:
        raise Refused("I read no question in this.")
    read = frame(parts)
    if previous and conversation.continues(parts, read):
        if read == Frame():
            raise Refused("This changes nothing in the question before.")
        read = conversation.merge(previous, read)
    elif conversation.begins_with_and(parts):
        raise Refused("This continues a question, but no question came before it.")
    return complete(read, parts), words


def _check(question: str, words: Words) -> None:
    """Refuse what could not be read."""
    if words.subjects:
        subjects = " and ".join(dict.fromkeys(words.subjects))
        raise Refused(f"The data tell nothing about {subjects}.")
    if _shares_out(question, words):
        raise Refused(
            "AirSense gives percentages of scheduled flights, not of late or cancelled ones."
        )
    if words.unknown:
        states.refuse(question, words.unknown)
        unknown = ", ".join(f"“{word[:40]}”" for word in dict.fromkeys(words.unknown))
        raise Unread(f"I do not understand {unknown}.")
    for mention in words.ambiguous:
        meanings = [_name(thing) for thing in (mention.entity, *mention.others)][:MOST_CHOICES]
        before, after = question[: mention.start], question[mention.end :]
        choices = tuple(f"{before}{name}{after}" for name in meanings)
        raise Refused(f"Which one do you mean: {' or '.join(meanings)}?", choices)


def _shares_out(question: str, words: Words) -> bool:
    """Whether late flights are divided: "the percentage of delays that were in July"."""
    return any(
        share.type == "SHARE" and noun.type in measures.NOUNS and ARE.match(question, noun.end)
        for share, noun in pairwise(words.tokens)
    )


def _name(thing: Entity) -> str:
    if isinstance(thing, Flight):
        return f"{thing.airline.code} {thing.number}"
    return thing.code if isinstance(thing, Airport | Airline) else thing.label


def frame(parts: list[Constituent]) -> Frame:
    """The frame of what a question names, without what it leaves out. Raises Refused."""
    pairs.refuse(parts)
    flights = _unique(parts, "FLIGHT", lambda flight: (flight.airline.code, flight.number))
    if len(flights) > 1:
        raise Refused("Ask about one flight number at a time.")
    origins, destinations = places.read(parts)
    read = Frame(
        measure=measures.read(parts),
        airlines=() if flights else _unique(parts, "AIRLINE", lambda airline: airline.code),
        origins=origins,
        destinations=destinations,
        flight=flights[0] if flights else None,
        period=times.period(parts),
        weekdays=times.weekdays(parts),
        hours=times.hours(parts),
        rank=groups.rank(parts),
        top=groups.top(parts),
    )
    return replace(read, group=groups.group(parts, read))


def _unique(parts: list[Constituent], kind: str, key: Any) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(key(value) for part in parts for value in part.values(kind)))


def complete(frame: Frame, parts: list[Constituent]) -> Frame:
    """Fill in what people leave out. Raises Refused."""
    group, rank = frame.group, _rank(frame)
    which = any(part.rule == "group" and part.has("WHICH") for part in parts)
    measure = frame.measure or Measure("flights" if which and not rank else "on_time")
    if measure == Measure("flights") and rank in ("best", "worst"):
        measure = Measure("on_time")
    if measure.name == "number":
        group = rank = ""
    if not group and rank in ("most", "least") and measure.name != "longest":
        raise Refused("The most or least of what? Name airlines, airports, routes or months.")
    if group and which and not rank:
        rank = "most"
    return replace(frame, measure=measure, group=group, rank=_end(measure, rank) if group else "")


def _rank(frame: Frame) -> str:
    """The top is the most of a measure, and the best without one."""
    if frame.measure is None and frame.rank in ("most", "least"):
        raise Refused("The most or least of what? Name flights, delays or cancellations.")
    ends = (
        {"top": "most", "bottom": "least"} if frame.measure else {"top": "best", "bottom": "worst"}
    )
    return ends.get(frame.rank, frame.rank)


def _end(measure: Measure, rank: str) -> str:
    """One word for each end of a ranking: the best by punctuality, the most by delays."""
    good = GOOD.get(measure.name, False)
    if good:
        return {"most": "best", "least": "worst"}.get(rank, rank)
    best, worst = ("least", "most") if good is False else ("most", "least")
    return {"best": best, "worst": worst}.get(rank, rank)
