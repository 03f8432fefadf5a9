"""The distribution of the delays of a route's flights."""

from dataclasses import dataclass
from functools import cached_property

from flights.pages import on_time
from flights.pages.charts import Columns, Figure, Value
from flights.pages.table_rows import TableRows

from .outcomes import COUNT, counts, figure

EVERY = "10000"  # different delays in minutes, more than flights have
# The minutes at which the classes of a histogram begin.
CLASSES = (-15, 0, 15, 30, 45, 60, 90, 120)


@dataclass(frozen=True)
class Delays:
    """The number of flights by their delay in minutes."""

    rows: TableRows
    column: str

    @cached_property
    def numbers(self) -> dict[int, int]:
        """Flights by delay, the earliest first."""
        known = ((row[self.column], row[COUNT]) for row in self.rows.rows)
        return dict(sorted((delay, n) for delay, n in known if delay is not None))

    @cached_property
    def flights(self) -> int:
        """All scheduled flights."""
        return sum(row[COUNT] for row in self.rows.rows)

    @property
    def missing(self) -> int:
        """The number of flights without a delay: those that did not depart, or did not arrive."""
        return self.flights - sum(self.numbers.values())

    @property
    def missing_share(self) -> float | None:
        return self.share(self.missing)

    def at_most(self, minutes: int) -> float | None:
        """The percentage of scheduled flights that are late by at most `minutes`."""
        return self.share(sum(n for delay, n in self.numbers.items() if delay <= minutes))

    def within(self, percent: int) -> int | None:
        """The smallest delay that `percent` of the scheduled flights do not exceed.

        None if too few flights have a delay.
        """
        so_far = 0
        for delay, number in self.numbers.items():
            so_far += number
            if 100 * so_far >= percent * self.flights:
                return delay
        return None

    def connects(self, onward: "Delays", slack: int) -> float | None:
        """The percentage of connections that passengers make with `slack` minutes to spare.

        Pairs each flight with each onward flight. Passengers make the connection if the flight's
        delay exceeds the onward flight's delay by at most `slack`.
        """
        connecting = sum(n * onward.at_least(delay - slack) for delay, n in self.numbers.items())
        return on_time.share(connecting, self.flights * onward.flights)

    def at_least(self, minutes: int) -> int:
        """The number of flights that are late by at least `minutes`."""
        earliest = min(self.numbers, default=0)
        return self._at_least.get(max(minutes, earliest), 0)

    @cached_property
    def _at_least(self) -> dict[int, int]:
        """`at_least` of every minute between the earliest and the latest flight."""
        so_far, numbers = 0, {}
        for minute in range(max(self.numbers, default=0), min(self.numbers, default=0) - 1, -1):
            so_far += self.numbers.get(minute, 0)
            numbers[minute] = so_far
        return numbers

    def share(self, part: int) -> float | None:
        """A number of flights in percent of all scheduled flights."""
        return on_time.share(part, self.flights)


def of(column: str, origin: str, destination: str) -> Delays:
    """The delays of all flights of a route."""
    return where(column, {"Origin": origin, "Destination": destination})


def where(column: str, conditions: dict[str, str]) -> Delays:
    """The delays of all flights that meet some conditions."""
    return Delays(counts(conditions, column, "count", limit=EVERY), column)


def histogram(name: str, title: str, delays: Delays) -> Figure:
    """The percentage of flights in each class of delays."""
    numbers = dict.fromkeys(range(len(CLASSES) + 1), 0)
    for delay, number in delays.numbers.items():
        numbers[sum(delay >= limit for limit in CLASSES)] += number
    arrives = delays.column.startswith("Arrival")
    never = "cancelled or diverted" if arrives else "cancelled"
    values = [
        *(Value(_class(place), delays.share(n), n) for place, n in numbers.items()),
        Value("never", delays.missing_share, delays.missing),
    ]
    event = "arrival" if arrives else "departure"
    measure = f"Percent of scheduled flights by minutes late at {event}. Never: {never}"
    chart = Columns(values, "%", f"Minutes late at {event}; negative is early")
    return figure(name, title, measure, chart, delays.rows, delays.flights)


def _class(place: int) -> str:
    if place == 0:
        return f"< {_number(CLASSES[0])}"
    if place == len(CLASSES):
        return f"{CLASSES[-1]}+"
    return f"{_number(CLASSES[place - 1])} to {_number(CLASSES[place] - 1)}"


def _number(number: int) -> str:
    return str(number).replace("-", "−")  # noqa: RUF001
