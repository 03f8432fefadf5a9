"""Scatter charts: a point for each pair of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from .chart import FLIGHTS, NARROW, Table, Value, with_unit
from .scale import label, scale, value_axis
from .svg import Drawing

LEFT, BELOW = 38, 40


@dataclass(frozen=True)
class Scatter:
    """Points with the numbers of `values` on the y axis and `across` on the x axis."""

    values: Sequence[Value]
    across: Sequence[float | None]
    unit: str
    across_unit: str
    of: str = ""  # what each point stands for, such as "Airline"

    def draw(self, width: int) -> Drawing:
        drawing = Drawing(width, 280 if width == NARROW else 360)
        bottom = drawing.height - BELOW
        up = value_axis(drawing, [v.number for v in self.values], bottom, self.unit, zero=False)
        right = scale(self.across, LEFT, width - 12, zero=False)
        for tick in right.ticks:
            drawing.text(right(tick), bottom + 16, label(tick), "tick", "middle")
        drawing.text((LEFT + width) / 2, drawing.height - 5, self.across_unit, "tick", "middle")
        for value, x in zip(self.values, self.across, strict=True):
            if value.number is not None and x is not None:
                text = f"{value.text(self.unit)}, {with_unit(x, self.across_unit)}"
                with drawing.mark(f"{value.label}: {text}", value.url):
                    drawing.circle(right(x), up(value.number), 5, "point")
        return drawing

    def table(self) -> Table:
        rows = [
            [v.label, x, v.number, v.flights] for v, x in zip(self.values, self.across, strict=True)
        ]
        return [self.of, self.across_unit, self.unit, FLIGHTS], rows
