"""The meaning of a question: a measure, filters, groups and a ranking."""

from dataclasses import dataclass
from datetime import date

type Period = tuple[date, date]  # first and last day

# Whether a high value is good; None: neither. High values of all other measures are bad.
GOOD = {
    "on_time": True,
    "early": True,
    "flown": True,
    "flights": None,
    "number": None,
    "duration": None,
}
DIMENSIONS = (
    *("airline", "origin", "destination", "route", "month", "year", "weekday", "date", "hour"),
    "flight",
)
TIMES = ("month", "year", "weekday", "date", "hour")


@dataclass(frozen=True)
class Measure:
    """What to compute from the flights."""

    name: str  # on_time, late, early, average, median, percentile, longest, cancelled, flown...
    count: bool = False  # the number of such flights instead of their percentage
    departure: bool = False  # of departures instead of arrivals
    operator: str = "gte"  # `late` compares the delay with `minutes` by this operator
    minutes: int = 15
    of: int = 90  # the percent of `percentile`
    what: str = ""  # the dimension whose values `number` counts


@dataclass(frozen=True)
class Frame:
    """The meaning of a question. An empty field (None, () or "") does not limit the flights."""

    measure: Measure | None = None
    airlines: tuple[str, ...] = ()  # codes
    origins: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    flight: tuple[str, str] | None = None  # the airline's code and the number
    period: Period | None = None
    weekdays: tuple[str, ...] = ()
    hours: tuple[int, int] | None = None  # first and last
    group: str = ""  # of DIMENSIONS
    rank: str = ""  # best, worst, most or least
    top: int | None = None

    @property
    def by(self) -> str:
        """The first group: with `most` or `least` of the measure; "" sorts the groups by time."""
        assert self.measure
        good = GOOD.get(self.measure.name, False)
        if self.rank in ("best", "worst"):
            high = bool(good) if self.rank == "best" else not good
            return "most" if good is None or high else "least"
        if self.rank or self.group in TIMES:
            return self.rank
        return "most" if good in (True, None) else "least"
