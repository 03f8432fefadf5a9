"""Write frames as questions: how AirSense understood a question, and what else people can ask.

The grammar reads each of these questions back as the same frame, so a conversation continues from
them, and every suggestion has an answer.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from flights.errors import BadQuery

from . import constituents, figures, lexer, periods, planner, understanding
from .constituents import Unreadable
from .frame import Frame, Measure, Period
from .refusals import Refused

MOST = 3  # suggestions
GROUPS = {
    "origin": "departure airport",
    "weekday": "day of the week",
    "flight": "flight number",
}
PLURALS = {"weekday": "days of the week", "hour": "times of day"}  # "5 hours" is a duration
NOUNS = {"late": "late flights", "cancelled": "cancellations", "diverted": "diversions"}
LIMITS = {"gte": "at least", "gt": "more than", "lt": "less than", "lte": "at most"}
VAGUE = re.compile(r"\b(time|times|when|day|days)\b", re.IGNORECASE)
OTHERS = (Measure("on_time"), Measure("late"), Measure("cancelled"))


def of(frame: Frame) -> str:
    """The question of a complete frame: `worst airline by percentage on time from LGA`."""
    assert frame.measure
    return " ".join(filter(None, [_head(frame, frame.measure), *filters(frame)]))


def _head(frame: Frame, measure: Measure) -> str:
    what = _measure(measure)
    if not frame.group:
        return what
    group = GROUPS.get(frame.group, frame.group)
    if not frame.rank:
        return f"{what} by {group}"
    top = f" {frame.top}" if frame.top else ""
    if measure.name == "flights":
        what = "number of flights"
    if measure.count and measure.name in NOUNS:
        return f"{group} with the {frame.rank}{top} {_noun(measure)}"
    rank = {"most": "highest", "least": "lowest"}.get(frame.rank, frame.rank)
    things = PLURALS.get(frame.group, f"{group}s")
    return f"{rank}{top} {things if top else group} by {what}"


def _measure(measure: Measure) -> str:
    side = "departing " if measure.departure else ""
    counted = "how many flights were" if measure.count else "percentage"
    delay = f"{'departure' if measure.departure else 'arrival'} delay"
    names = {
        "on_time": f"{counted} {side}on time",
        "early": f"{counted} {side}early",
        "late": f"{counted} {side}late{_limit(measure)}",
        "cancelled": f"{counted} cancelled",
        "flown": f"{counted} not cancelled",
        "diverted": f"{counted} diverted",
        "average": f"average {delay}",
        "median": f"median {delay}",
        "percentile": f"{measure.of}th percentile of the {delay}",
        "longest": f"maximum {delay}",
        "flights": "how many flights",
        "number": f"how many {measure.what}s",
        "duration": "flight time",
    }
    return names[measure.name]


def _noun(measure: Measure) -> str:
    return f"{NOUNS[measure.name]}{_limit(measure)}"


def _limit(measure: Measure) -> str:
    if measure.name != "late" or (measure.operator, measure.minutes) == ("gte", 15):
        return ""
    return f" {LIMITS[measure.operator]} {measure.minutes} minutes"


def filters(frame: Frame) -> Iterator[str]:
    """The filters of a frame in words."""
    if frame.airlines:
        yield f"of {' and '.join(frame.airlines)}"
    if frame.flight:
        yield f"of {frame.flight[0]} {frame.flight[1]}"
    if frame.origins:
        yield f"from {' and '.join(frame.origins)}"
    if frame.destinations:
        yield f"to {' and '.join(frame.destinations)}"
    if frame.period:
        yield _period(frame.period)
    if frame.weekdays:
        yield f"on {' and '.join(f'{day}s' for day in frame.weekdays)}"
    if frame.hours:
        yield _hours(*frame.hours)


def _period(period: Period) -> str:
    words = periods.words(period)
    preposition = "on" if period[0] == period[1] else "in"
    return words if " to " in words else f"{preposition} {words}"


def _hours(first: int, last: int) -> str:
    if first == last:
        return f"at {first}:00"
    return f"after {first}:00" if last == 23 else f"between {first}:00 and {last + 1}:00"


def close(question: str, refusal: Refused, previous: Frame | None) -> list[str]:
    """At most MOST questions that have an answer, similar to one that has no answer."""
    suggestions: list[str] = []
    for frame in _candidates(question, refusal, previous):
        text = of(frame)
        if text not in suggestions and _has_answer(frame):
            suggestions.append(text)
        if len(suggestions) == MOST:
            break
    return suggestions


def _candidates(question: str, refusal: Refused, previous: Frame | None) -> Iterator[Frame]:
    for choice in refusal.choices:
        text = choice if len(choice) > 20 else VAGUE.sub(choice, question)
        with suppress(Refused):
            yield understanding.understand(text, previous)[0]
    rest = _rest(question)
    for frame in [rest, previous] if rest else [previous]:
        if frame:
            with suppress(Refused):
                yield understanding.complete(frame, [])
            yield from (replace(frame, measure=m, group="", rank="") for m in OTHERS)
    yield Frame(Measure("on_time"), group="airline", rank="best")
    yield Frame(Measure("on_time"), group="month", rank="worst")
    yield Frame(Measure("cancelled"), group="origin", rank="most")


def _rest(question: str) -> Frame | None:
    """What a question names beside the words that cannot be read."""
    with suppress(Refused, Unreadable):
        words = lexer.read(question[: understanding.LONGEST])
        return understanding.frame(constituents.parse(words))
    return None


def _has_answer(frame: Frame) -> bool:
    with suppress(Refused, BadQuery):
        rows = figures.read(planner.plan(frame)).rows
        return any(row.value is not None and row.flights for row in rows)
    return False
