"""What a question asks for: a measure, filters, groups and a ranking."""

from dataclasses import dataclass
from datetime import date

type Period = tuple[date, date]  # first and last day

# Of each measure: whether more of it is better. A count of flights is neither.
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
IN_TIME = ("month", "year", "weekday", "date", "hour")


@dataclass(frozen=True)
class Measure:
    """What is computed of the flights."""

    name: str  # on_time, late, early, average, median, percentile, longest, cancelled, flown...
    count: bool = False  # the number of such flights instead of their percentage
    departure: bool = False  # of departures instead of arrivals
    operator: str = "gte"  # of `late`, for its minutes
    minutes: int = 15
    of: int = 90  # of `percentile`; of `number` the dimension is `what`
    what: str = ""


@dataclass(frozen=True)
class Frame:
    """A question that has been understood; None and () leave everything in."""

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
        """How the groups are sorted: `most` or `least` of the measure first, or "" for by time."""
        assert self.measure
        good = GOOD.get(self.measure.name, False)
        if self.rank in ("best", "worst"):
            high = bool(good) if self.rank == "best" else not good
            return "most" if good is None or high else "least"
        if self.rank or self.group in IN_TIME:
            return self.rank
        return "most" if good in (True, None) else "least"
