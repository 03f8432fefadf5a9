"""Map numbers to positions, and choose round numbers for an axis."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from .svg import Drawing

TICKS = 5  # on an axis, about


@dataclass(frozen=True)
class Scale:
    """A linear scale from the numbers `low` to `high` to the positions `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, number: float) -> float:
        share = (number - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        """Round numbers within the scale."""
        step = _step(self.high - self.low)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(n * step, 10) for n in range(first, last + 1)]


def scale(numbers: Iterable[float | None], start: float, end: float, *, zero: bool = True) -> Scale:
    """A scale of some numbers, extended to round limits, and to zero where bars begin there."""
    known = [n for n in numbers if n is not None and math.isfinite(n)] + ([0.0] if zero else [])
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if low == high:
        high = low + 1
    step = _step(high - low)
    return Scale(math.floor(low / step) * step, math.ceil(high / step) * step, start, end)


def value_axis(
    drawing: Drawing, numbers: Iterable[float | None], bottom: int, unit: str, *, zero: bool = True
) -> Scale:
    """Draw a vertical axis with lines across the drawing, from `bottom` up to its top."""
    up = scale(numbers, bottom, 16, zero=zero)
    for tick in up.ticks:
        y = up(tick)
        drawing.line(0, y, drawing.width, y, "axis" if tick == 0 else "grid")
        top = tick == up.ticks[-1]
        drawing.text(0, y - 4, f"{label(tick)} {unit}" if top else label(tick), "tick")
    return up


def label(tick: float) -> str:
    """`40`, `0.5`, `−10`."""  # noqa: RUF002
    return f"{tick:,.10g}".replace("-", "−")  # noqa: RUF001


def thinned[T](items: list[T], most: int) -> list[tuple[int, T]]:
    """At most `most` items, evenly spaced, each with its position."""
    step = max(1, math.ceil(len(items) / max(1, most)))
    return list(enumerate(items))[::step]


def _step(span: float) -> float:
    """A round step (1, 2 or 5 times a power of ten) that gives about TICKS ticks."""
    rough = span / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return float(next(n for n in (1, 2, 5, 10) if n * power >= rough * 0.999) * power)
