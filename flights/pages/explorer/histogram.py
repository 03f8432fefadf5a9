"""Classes of a histogram, made of the number of rows of each value."""

import math
from dataclasses import dataclass
from itertools import pairwise

from flights.pages.charts.scale import label

CLASSES = 24  # about
TAIL = 0.01  # share of the rows below the first and above the last full class


@dataclass(frozen=True)
class Class:
    """Values from `low` up to, but not including, `high`; infinite at the open ends."""

    low: float
    high: float
    rows: int
    whole: bool  # whether the values are whole numbers

    @property
    def label(self) -> str:
        if math.isinf(self.low):
            return f"below {label(self.high)}"
        if math.isinf(self.high):
            return f"{label(self.low)} or more"
        last = self.high - 1 if self.whole else self.high
        return label(self.low) if last == self.low else f"{label(self.low)} to {label(last)}"


def classes(counted: list[tuple[float, int]]) -> list[Class]:
    """Classes of equal width; rare values at each end share one class. `counted` is sorted."""
    if not counted:
        return []
    whole = all(isinstance(value, int) for value, _ in counted)
    low, high = _quantile(counted, TAIL), _quantile(counted, 1 - TAIL)
    step = _step((high - low) or 1.0, whole)
    first, last = math.floor(low / step), math.floor(high / step)
    edges = [n * step for n in range(first, last + 2)]
    limits = [-math.inf, *edges, math.inf]
    intervals = [
        Class(start, end, _within(counted, start, end), whole) for start, end in pairwise(limits)
    ]
    return [each for each in intervals if each.rows or not math.isinf(each.high - each.low)]


def _within(counted: list[tuple[float, int]], start: float, end: float) -> int:
    return sum(rows for value, rows in counted if start <= value < end)


def _quantile(counted: list[tuple[float, int]], share: float) -> float:
    """The smallest value that at least this share of the rows does not exceed."""
    below, total = 0, sum(rows for _, rows in counted)
    for value, rows in counted:
        below += rows
        if below >= share * total:
            return value
    return counted[-1][0]


def _step(span: float, whole: bool) -> float:
    """A round width of a class; a whole number of at least 1 for whole numbers."""
    rough = span / CLASSES
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(n for n in (1, 2, 5, 10) if n * power >= rough * 0.999) * power
    return max(1.0, step) if whole else step
