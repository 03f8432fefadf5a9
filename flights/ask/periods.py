"""The days and hours that a question names, within the days of the published flights."""

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise

from flights.entities import directory

from .constituents import Constituent
from .frame import Period
from .refusals import Refused


def coverage() -> Period:
    """The first and the last day with flights."""
    days = directory.current().period
    if days is None:
        raise Refused("No flights are published yet.")
    return days


def period(part: Constituent, year: int | None) -> Period | None:
    """The days of a constituent; None if it names none. `year` is another constituent's."""
    years = part.values("YEAR") or ([year] if year else [])
    if part.rule in ("months", "month_range"):
        return _months(part.values("MONTH"), years, part.rule == "month_range")
    if part.rule == "season":
        first, last = part.values("SEASON")[0]
        return _from_to((first, last), years)
    if part.rule == "holiday":
        month, day = part.values("HOLIDAY")[0]
        return _day(_year(years, month, day), month, day)
    if part.rule in ("date", "date_range"):
        days = sorted(day.date for day in part.values("DATE"))
        return days[0], days[-1]
    return None


def of_year(year: int) -> Period:
    return date(year, 1, 1), date(year, 12, 31)


def joined(periods: list[Period]) -> Period:
    """Several periods as one; Refused if days lie between them."""
    periods = sorted(periods)
    for before, after in pairwise(periods):
        if after[0] > before[1] + timedelta(days=1):
            raise Refused("A period must be one run of days, such as June to August.")
    return periods[0][0], max(last for _, last in periods)


def within(period: Period) -> Period | None:
    """The part of a period that has flights; None for all days; Refused for none."""
    first, last = coverage()
    begin, end = max(first, period[0]), min(last, period[1])
    if begin > end:
        raise Refused(f"The flights are of {words((first, last))} only.")
    return None if (begin, end) == (first, last) else (begin, end)


def whole_months(period: Period) -> bool:
    """Whether a period has no part of a month, as far as the month has flights."""
    first, last = coverage()
    begins = period[0].day == 1 or period[0] == first
    ends = period[1].day == monthrange(period[1].year, period[1].month)[1] or period[1] == last
    return begins and ends


def words(period: Period) -> str:
    """`2013`, `July 2013`, `June to August 2013`, `9 February 2013`, or both days."""
    first, last = period
    if first == last:
        return _written(first)
    whole = first.day == 1 and last.day == monthrange(last.year, last.month)[1]
    if whole and (first.month, last.month) == (1, 12):
        return f"{first.year}" if first.year == last.year else f"{first.year} to {last.year}"
    if whole and (first.year, first.month) == (last.year, last.month):
        return f"{first:%B} {first.year}"
    if whole and first.year == last.year:
        return f"{first:%B} to {last:%B} {last.year}"
    return f"{_written(first)} to {_written(last)}"


def _written(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"


def _months(months: list[int], years: list[int], is_range: bool) -> Period:
    if is_range:
        return _from_to((months[0], months[-1]), years)
    return joined([_from_to((month, month), years) for month in dict.fromkeys(months)])


def _from_to(months: tuple[int, int], years: list[int]) -> Period:
    """The days from one month to another, in the latest year that has flights in the first."""
    first, last = months
    year = years[0] if years else _year([], first, 1)
    until = years[-1] if len(years) > 1 else year
    if (until, last) < (year, first):
        raise Refused("A period of months must lie within one year, unless it names both years.")
    return date(year, first, 1), date(until, last, monthrange(until, last)[1])


def _year(years: list[int], month: int, day: int) -> int:
    """The named year, or the latest one that has flights in a month or on its day."""
    if years:
        return years[0]
    first, last = coverage()
    return last.year if (month, day) <= (last.month, last.day) else max(last.year - 1, first.year)


def _day(year: int, month: int, day: int) -> Period:
    return date(year, month, day), date(year, month, day)
