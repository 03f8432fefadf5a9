"""The days of the week, hours and periods that a question names."""

from flights.entities.dates import WEEK

from . import periods
from .constituents import Constituent
from .frame import Period
from .refusals import Refused

HOURS = ("daypart", "hour", "hour_range", "before", "after")


def period(parts: list[Constituent]) -> Period | None:
    """The named days that have flights; None for all of them."""
    if any(part.rule == "winter" for part in parts):
        raise Refused("Winter lies in two years. Name its months, such as January to February.")
    years = {year for part in parts if part.rule == "year" for year in part.values("YEAR")}
    if len(years) > 1:
        raise Refused("Name one year, or a period such as June to August 2013.")
    year = next(iter(years), None)
    named = [periods.period(part, year) for part in parts if part.rule != "year"]
    within = [days for days in named if days]
    if not within and year is None:
        return None
    return periods.within(periods.joined(within) if within else periods.of_year(year or 0))


def weekdays(parts: list[Constituent]) -> tuple[str, ...]:
    """The named days of the week, from Monday on."""
    named = {day for part in parts for day in _weekdays(part)}
    return tuple(day for day in WEEK if day in named)


def _weekdays(part: Constituent) -> list[str]:
    if part.rule == "weekend":
        return list(WEEK[5:])
    if part.rule == "working_days":
        return list(WEEK[:5])
    days: list[str] = part.values("WEEKDAY")
    if part.rule == "weekday_range":
        first, last = (WEEK.index(day) for day in days)
        return [WEEK[(first + i) % 7] for i in range((last - first) % 7 + 1)]
    return days


def hours(parts: list[Constituent]) -> tuple[int, int] | None:
    """The first and the last hour of the scheduled departure; None for all."""
    spans = [_span(part) for part in parts if part.rule in HOURS]
    if not spans:
        return None
    first, last = max(span[0] for span in spans), min(span[1] for span in spans)
    if first > last:
        raise Refused("Name hours of one part of the day, such as 17:00 to 21:00.")
    return first, last


def _span(part: Constituent) -> tuple[int, int]:
    if part.rule == "daypart":
        first, last = part.values("DAYPART")[0]
        return first, last
    clocks: list[int] = part.values("CLOCK")
    if part.rule == "hour_range":
        return _range(part.values("NUMBER"), clocks)
    (hour,) = clocks
    return {"before": (0, hour - 1), "after": (hour, 23)}.get(part.rule, (hour, hour))


def _range(numbers: list[int], clocks: list[int]) -> tuple[int, int]:
    """`between 6 and 9 am` ends before 9:00; in `between 6 and 9 pm` both are in the evening."""
    *begin, end = (*numbers, *clocks)
    first = begin[0]
    if numbers and end > 12 and first + 12 < end:
        first += 12
    return first, max(first, end - 1)
