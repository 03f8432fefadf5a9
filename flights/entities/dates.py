"""Days in a text, in the usual notations.

`2013-02-09`, `20130209`, `2/9/2013` (month first), `9.2.2013` (day first), `9 Feb 2013`,
`February 9th, 2013`, and all of these with the year in two digits or, for words, without a year.
"""

import calendar
import re
from collections.abc import Collection, Iterator
from datetime import date
from typing import NamedTuple

WEEK = tuple(calendar.day_name)  # Monday first
MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
MONTHS |= {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
MONTHS |= {"sept": 9}

_MONTH = rf"(?P<month>{'|'.join(sorted(MONTHS, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4}|['’]?\d{2})(?![\d:])"  # noqa: RUF001
NOTATIONS = [
    re.compile(rf"(?<![\w/.-]){pattern}(?![\w/]|[-.]\d)", re.IGNORECASE)
    for pattern in (
        r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})",
        r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)",
        rf"(?P<month>\d{{1,2}})([-/])(?P<day>\d{{1,2}})\2{_YEAR}",
        rf"(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\.\s?{_YEAR}",
        rf"{_DAY}(?:\s+of)?[\s.-]*{_MONTH}(?:[\s,-]*{_YEAR})?",
        rf"{_MONTH}[\s-]*{_DAY}(?:[\s,-]+{_YEAR})?",
    )
]
CENTURY = 87  # the records begin in 1987, so 87 to 99 are years of the 20th century


class DateMention(NamedTuple):
    start: int
    end: int
    days: tuple[date, ...]  # several where the text names no year; the latest first


def find(text: str, existing: Collection[date] = ()) -> list[DateMention]:
    """The days that a text names. A day without a year is that day in each year of `existing`."""
    mentions: list[DateMention] = []
    for notation in NOTATIONS:
        for match in notation.finditer(text):
            free = all(match.end() <= m.start or m.end <= match.start() for m in mentions)
            if free and (days := tuple(_days(match, existing))):
                mentions.append(DateMention(match.start(), match.end(), days))
    return sorted(mentions)


def _days(match: re.Match[str], existing: Collection[date]) -> Iterator[date]:
    parts = match.groupdict()
    month, day = MONTHS.get(parts["month"].lower()) or int(parts["month"]), int(parts["day"])
    year_first = parts["year"] and match.start("year") < match.start("month")
    if month > 12 >= day and not year_first:
        month, day = day, month  # 25/12/2013 can only be day first
    years = [_year(parts["year"])] if parts["year"] else _years(existing)
    for year in years:
        if 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]:
            yield date(year, month, day)


def _year(text: str) -> int:
    digits = text.lstrip("'’")  # noqa: RUF001
    if len(digits) == 4:
        return max(int(digits), 1)
    return int(digits) + (1900 if int(digits) >= CENTURY else 2000)


def _years(existing: Collection[date]) -> list[int]:
    return sorted({day.year for day in existing}, reverse=True) or [date.today().year]
