"""Decide from the words of a question what to compute."""

from collections.abc import Iterable

from . import conversation
from .constituents import Constituent
from .frame import Measure
from .refusals import Refused

# The words of each subject; a question may have one subject.
SUBJECTS = {
    "on_time": ("ONTIME",),
    "early": ("EARLY",),
    "late": ("LATE", "DELAY"),
    "cancelled": ("CANCELLED", "CANCELLATION"),
    "diverted": ("DIVERTED", "DIVERSION"),
    "duration": ("HOWLONG",),
}
SIDED = ("late_departure", "negated")  # rules that say whether departures or arrivals are late
NOUNS = ("DELAY", "CANCELLATION", "DIVERSION")
NOT = {"late": "on_time", "cancelled": "flown"}
ONE = "Ask about one thing at a time: on time, late, early, cancelled or diverted."


def read(parts: list[Constituent]) -> Measure | None:
    """The measure; None if the question names none. Raises Refused."""
    has = {token.type for part in parts for token in part.tokens}
    rules = {part.rule for part in parts}
    subjects = [name for name, kinds in SUBJECTS.items() if has & set(kinds)]
    departure = any(part.rule in SIDED and part.has("DEPART") for part in parts)
    if len(subjects) > 1:
        raise Refused(ONE)
    subject = subjects[0] if subjects else ""
    if "negated" in rules:
        subject = _opposite(parts, subject)
    statistic = _statistic(parts, has, rules, subject, departure)
    if statistic:
        return statistic
    if "counted" in rules:
        return _number(parts, subject)
    if "threshold" in rules:
        return _threshold(parts, subject, departure, _is_count(parts, has))
    if subject:
        return Measure(subject, _is_count(parts, has) and subject != "duration", departure)
    return _flights(has)


def _opposite(parts: list[Constituent], subject: str) -> str:
    """The subject of flights that are not late or not cancelled."""
    if sum(part.has(*SUBJECTS[subject]) for part in parts) > 1:
        raise Refused(ONE)
    if subject not in NOT:
        raise Refused(
            "I know “not late” and “not cancelled”. Flights that are not on time are late,"
            " cancelled or diverted: ask about one of these."
        )
    return NOT[subject]


def _statistic(
    parts: list[Constituent], has: set[str], rules: set[str], subject: str, departure: bool
) -> Measure | None:
    """Minutes of delay: their average, median, a percentile or the longest."""
    of = [number for part in parts for number in part.values("PERCENTILE") if number]
    if "PERCENTILE" in has and not of:
        raise Refused("Which percentile? The 90th percentile, for example.")
    one = any("one" in part.values("DELAY") for part in parts)
    least = any("least" in part.values("LONGEST") for part in parts)
    if one and least and "AVERAGE" not in has:
        raise Refused("The shortest delay is that of the earliest flight. Ask for averages.")
    names = {
        "percentile": bool(of),
        "median": "MEDIAN" in has,
        "longest": "LONGEST" in has and "AVERAGE" not in has and one,
        "average": bool(has & {"AVERAGE", "LONGEST"}) or "how_late" in rules or "MINUTES" in has,
    }
    name = next((name for name, matches in names.items() if matches), "")
    if not name or (name == "average" and "SHARE" in has and "how_late" not in rules):
        return None
    if name == "average" and subject == "duration":
        return Measure("duration")
    if subject != "late" or "threshold" in rules:
        raise Refused("Averages, medians, percentiles and maxima are of delays in minutes.")
    if _are_late(parts):
        raise Refused(
            "Averages, medians, percentiles and maxima are of all flights, early ones included."
        )
    return Measure(name, departure=departure, of=of[0] if of else 90)


def _are_late(parts: list[Constituent]) -> bool:
    """Whether only late flights are meant: "the average delay of flights that were late"."""
    named = [token for part in parts for token in part.tokens if token.type in SUBJECTS["late"]]
    return len(named) > 1 or any(token.value == "flights" for token in named)


def _number(parts: list[Constituent], subject: str) -> Measure:
    """How many airlines, destinations, routes..."""
    (what,) = {part.values("DIM")[0] for part in parts if part.rule == "counted"}
    if subject:
        raise Refused(
            "Airlines and airports can be counted, but not by how late their flights are."
        )
    if what not in ("airline", "origin", "destination", "airport"):
        raise Refused(f"AirSense counts flights, airlines and airports, not {what}s.")
    return Measure("number", what=what)


def _threshold(parts: list[Constituent], subject: str, departure: bool, count: bool) -> Measure:
    (part, *others) = [part for part in parts if part.rule == "threshold"]
    if others or not (subject == "late" or conversation.begins_with_and([*parts])):
        raise Refused("Ask for one limit of a delay, such as 30 minutes late or more.")
    (minutes, plus) = part.values("DURATION")[0]
    if part.has("UNDER"):
        return Measure("late", count, departure, part.values("UNDER")[0], minutes)
    over = part.has("OVER") and not (plus or part.has("ORMORE"))
    return Measure("late", count, departure, "gt" if over else "gte", minutes)


def _is_count(parts: list[Constituent], has: set[str]) -> bool:
    """Whether to count flights: "how many", "the most cancellations"."""
    if "SHARE" in has:
        return False
    ranks = {value for part in parts for value in part.values("RANK")}
    counted = has & set(NOUNS) or ("FLIGHTS" in has and has & {"CANCELLED", "DIVERTED", "DURATION"})
    return "HOWMANY" in has or bool(ranks & {"most", "least"} and counted)


def _flights(has: Iterable[str]) -> Measure | None:
    """Numbers of flights, where the question names no subject."""
    kinds = set(has)
    if "SHARE" in kinds:
        raise Refused("A percentage of what? Flights on time, late, cancelled or diverted.")
    return Measure("flights") if kinds & {"FLIGHTS", "HOWMANY", "BUSIEST"} else None
