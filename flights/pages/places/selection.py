"""Select flights of a route by airline, month of the year and day of the week."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from flights.entities.dates import WEEK
from flights.errors import BadQuery

from . import known
from .page import Choice

MONTHS = calendar.month_name[1:]


@dataclass(frozen=True)
class Selection:
    airline: str = ""  # code
    month: int | None = None
    weekday: str = ""  # "Friday"

    @classmethod
    def read(cls, params: dict[str, str]) -> Self:
        """Read the parameters `airline`, `month` and `weekday`. Empty ones select all flights."""
        airline = params.get("airline", "").strip().upper()
        if airline:
            known.airline(airline)
        return cls(airline, _month(params.get("month", "")), _weekday(params.get("weekday", "")))

    @property
    def where(self) -> dict[str, str]:
        """Filters of the table `flight_delay_data`."""
        return {
            **({"Airline_Code": self.airline} if self.airline else {}),
            **({"Day_of_Week": self.weekday} if self.weekday else {}),
            **(_in_month(self.month, *known.period()) if self.month else {}),
        }

    @property
    def words(self) -> str:
        """` of JetBlue Airways on Fridays in July`; empty for all flights."""
        return "".join(
            [
                f" of {known.airline_name(self.airline)}" if self.airline else "",
                f" on {self.weekday}s" if self.weekday else "",
                f" in {MONTHS[self.month - 1]}" if self.month else "",
            ]
        )

    def choices(self, airlines: list[str]) -> list[Choice]:
        """The fields of a form that offers these airlines."""
        names = [("", "All airlines"), *((c, f"{known.airline_name(c)} ({c})") for c in airlines)]
        months = [("", "All months"), *((str(n), name) for n, name in enumerate(MONTHS, 1))]
        days = [("", "All days"), *((day, f"{day}s") for day in WEEK)]
        return [
            Choice("airline", "Airline", self.airline, names),
            Choice("month", "Month", str(self.month or ""), months),
            Choice("weekday", "Day of the week", self.weekday, days),
        ]


def _month(text: str) -> int | None:
    allowed = [str(number) for number in range(1, 13)]
    if not text:
        return None
    if text.lstrip("0") not in allowed:
        raise BadQuery(f"month: {text[:40]!r} is not a month of the year.", allowed)
    return int(text)


def _weekday(text: str) -> str:
    if not text:
        return ""
    if text.capitalize() not in WEEK:
        raise BadQuery(f"weekday: {text[:40]!r} is not a day of the week.", list(WEEK))
    return text.capitalize()


def _in_month(month: int, first: date, last: date) -> dict[str, str]:
    """Filter a month: a range of days if the data have it once, else a list of all its days."""
    years = range(first.year, last.year + 1)
    starts = [s for year in years if first.replace(day=1) <= (s := date(year, month, 1)) <= last]
    if len(starts) > 1:
        days = (day.isoformat() for start in starts for day in _days(start))
        return {"Flight_Date__in": ",".join(days)}
    start = starts[0] if starts else date(first.year, month, 1)
    *_, end = _days(start)
    return {"Flight_Date__gte": start.isoformat(), "Flight_Date__lte": end.isoformat()}


def _days(start: date) -> Iterator[date]:
    """The days of the month that begins at `start`."""
    for number in range(calendar.monthrange(start.year, start.month)[1]):
        yield start + timedelta(number)
