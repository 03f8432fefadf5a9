"""Months, and the texts by which people name them: `2024-01`, or `2024-01..2024-12` for a range."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Self

from django.conf import settings
from django.utils import timezone

from transfers.exceptions import BadMonths

FORM = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
RECENT = 12  # months that `recent` returns; the DOT publishes a month about two months later


@dataclass(frozen=True, order=True)
class Month:
    """A month of a year; its text is `2024-01`."""

    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day.year, day.month)

    @classmethod
    def _at(cls, number: int) -> Self:
        return cls(number // 12, number % 12 + 1)

    @property
    def _number(self) -> int:
        return self.year * 12 + self.month - 1

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def url(self) -> str:
        """The address of the month's file."""
        url: str = settings.DOWNLOAD_URL.format(year=self.year, month=self.month)
        return url

    def through(self, last: "Month") -> "list[Month]":
        """All months from this one to `last`."""
        return [self._at(number) for number in range(self._number, last._number + 1)]

    def before(self, months: int) -> "Month":
        """The month that was `months` months earlier."""
        return self._at(self._number - months)

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02d}"


FIRST = Month(1987, 10)  # the DOT's records begin here


def parse(texts: Iterable[str]) -> list[Month]:
    """Return the months that the texts name, in order and each once; BadMonths if one is wrong."""
    return sorted({month for text in texts for month in _range(text)})


def recent() -> list[Month]:
    """Return the months of the last year, in which the DOT may have published or changed files."""
    this = Month.of(timezone.now().date())
    return this.before(RECENT).through(this)


def _range(text: str) -> list[Month]:
    first, dots, last = text.partition("..")
    months = _month(first).through(_month(last if dots else first))
    if not months:
        raise BadMonths(f"{text} ends before it begins.", advice=f"Use {last}..{first}.")
    return months


def _month(text: str) -> Month:
    match = FORM.fullmatch(text)
    if not match:
        raise BadMonths(f"{text[:50]!r} is not a month.", advice="Use 2024-01 or 2024-01..2024-12.")
    month, this = Month(int(match[1]), int(match[2])), Month.of(timezone.now().date())
    if not FIRST <= month <= this:
        advice = f"The DOT's records begin with {FIRST}; this month is {this}."
        raise BadMonths(f"There are no records of {month}.", advice=advice)
    return month
