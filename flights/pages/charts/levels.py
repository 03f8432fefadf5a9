"""Colours for values: a few levels from good to bad, and a key that explains them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from .chart import Value, with_unit
from .svg import Drawing

LEVELS = 6  # colours, from the lowest to the highest value


@dataclass(frozen=True)
class Levels:
    low: float
    high: float
    unit: str
    better: str = "low"  # whether "low" or "high" values are good; bad ones are dark

    @classmethod
    def of(cls, values: Iterable[Value | None], unit: str, better: str) -> Self:
        """Levels between the lowest and the highest of some values."""
        numbers = [v.number for v in values if v is not None and v.number is not None]
        low, high = (min(numbers), max(numbers)) if numbers else (0.0, 0.0)
        return cls(low, high, unit, better)

    def kind(self, number: float) -> str:
        """The class of a shape with this value: `level0` to `level5`."""
        share = (number - self.low) / ((self.high - self.low) or 1)
        level = int(share * LEVELS * 0.9999)
        return f"level{level if self.better == 'low' else LEVELS - 1 - level}"

    def key(self, drawing: Drawing, left: float) -> None:
        """Draw the colours with the values at both ends, at the bottom of a drawing."""
        ends = [with_unit(self.low, self.unit), with_unit(self.high, self.unit)]
        levels = range(LEVELS) if self.better == "low" else reversed(range(LEVELS))
        y = drawing.height - 18
        drawing.text(left, y + 11, ends[0], "tick")
        start = left + 7.2 * len(ends[0]) + 8
        for position, level in enumerate(levels):
            drawing.rect(start + position * 22, y, 20, 14, f"level{level}", 3)
        drawing.text(start + LEVELS * 22 + 6, y + 11, ends[1], "tick")
