"""Read from a question how to group the flights, and which end of the ranking to return."""

from itertools import pairwise

from . import pairs, places
from .constituents import Constituent
from .frame import Frame
from .refusals import Refused

VAGUE_TIME = ("hour", "day of the week", "month")
# Rules that name periods, and rules that name days of the week.
SETS = (pairs.FILTERS["period"], pairs.FILTERS["weekdays"])
VAGUE_DAY = ("day of the week", "date")


def rank(parts: list[Constituent]) -> str:
    """best, worst, most, least, top or bottom; "" if the question ranks nothing."""
    ranks = [v for p in parts for kind in ("RANK", "LONGEST", "BUSIEST") for v in p.values(kind)]
    for weak in ("top", "bottom", "most"):  # "the 5 most delayed airlines", "top 5 worst airlines"
        ranks = [value for value in ranks if value != weak] or ranks
    if len(set(ranks)) > 1:
        raise Refused("Ask for the best or the worst, not for both.")
    return ranks[0] if ranks else ""


def top(parts: list[Constituent]) -> int | None:
    """The number of groups: "the 5 worst airlines"."""
    numbers = [n for part in parts if part.rule == "rank" for n in part.values("NUMBER")]
    return int(numbers[0]) if numbers else None


def group(parts: list[Constituent], frame: Frame) -> str:
    """A dimension of the frame, or "". The frame has all but its group."""
    groups = {_grouped(part, frame) for part in parts} - {""}
    groups = groups or _compared(parts, frame) or _ranked_flights(parts, frame)
    if "airport" in groups:
        groups = groups - {"airport"} | {_airports(frame)}
    if len(groups) > 1:
        raise Refused("Group by one thing at a time, such as by airline or by month.")
    return groups.pop() if groups else ""


def _grouped(part: Constituent, frame: Frame) -> str:
    if part.rule == "group":
        return str(part.values("DIM")[0])
    if part.rule == "flight_group" and frame.rank:
        return "flight"
    if part.rule == "weekday_group":
        return "weekday"
    if part.rule == "time_group":
        return _time(part)
    return _day(part, frame) if part.rule == "day_group" else ""


def _time(part: Constituent) -> str:
    if part.has("TIMES"):  # "at what time"
        return "hour"
    raise Refused("Which time do you mean: the hour, the day of the week or the month?", VAGUE_TIME)


def _day(part: Constituent, frame: Frame) -> str:
    """A day is a date where flights are counted, or where a period is named."""
    measure = frame.measure
    counted = measure and (measure.count or measure.name in ("flights", "cancelled"))
    if counted or frame.period or part.has("BY"):
        return "date"
    raise Refused("Which day do you mean: the day of the week or the date?", VAGUE_DAY)


def _ranked_flights(parts: list[Constituent], frame: Frame) -> set[str]:
    """The "best flight" is one of the flight numbers."""
    ranked = frame.rank in ("best", "worst") and any(
        rank.rule == "rank" and word.has("FLIGHTS") for rank, word in pairwise(parts)
    )
    return {"flight"} if ranked else set()


def _compared(parts: list[Constituent], frame: Frame) -> set[str]:
    """The dimension of which the question names several values to compare."""
    compares = any(part.has("COMPARE", "OR") for part in parts) or frame.rank in ("best", "worst")
    months = [month for p in parts if p.rule == "months" for month in p.values("MONTH")]
    days = [day for p in parts if p.rule == "weekdays" for day in p.values("WEEKDAY")]
    dates = [part for part in parts if part.rule in ("date", "holiday")]
    if compares and any(_has_sets(parts, family) for family in SETS):
        raise Refused(
            "Compare single days, months or days of the week, not parts of the week or year."
        )
    several = {
        "airline": len(frame.airlines) > 1,
        "origin": compares and places.several(parts, frame.origins),
        "destination": compares and places.several(parts, frame.destinations),
        "weekday": compares and len(set(days)) > 1,
        "month": compares and len(set(months)) > 1,
        "date": compares and len({part.tokens for part in dates}) > 1,
    }
    return {name for name, matches in several.items() if matches}


def _has_sets(parts: list[Constituent], family: tuple[str, ...]) -> bool:
    """Whether several periods or days are named, and one of them has many days."""
    named = [part.rule for part in parts if part.rule in family]
    return len(named) > 1 and bool(set(named) - {"weekdays", "months", "date", "holiday"})


def _airports(frame: Frame) -> str:
    """The airports that a question asks about: of departure, unless it names these."""
    if len(frame.origins) > 1:
        return "origin"
    if len(frame.destinations) > 1:
        return "destination"
    return "destination" if frame.origins and not frame.destinations else "origin"
