"""Vertical bars: an ordered scale, such as hours or the classes of a histogram."""

from collections.abc import Sequence
from dataclasses import dataclass

from .chart import FLIGHTS, NARROW, Table, Value, bar_kind, value_rows
from .scale import thinned, value_axis
from .svg import Drawing

LEFT, BELOW = 34, 40  # room for the labels of the axes


@dataclass(frozen=True)
class Columns:
    values: Sequence[Value]
    unit: str
    of: str = ""  # what the labels name: "Hour of departure"
    better: str = ""  # colour values below and above zero: which are good, "low" or "high"?

    def draw(self, width: int) -> Drawing:
        drawing = Drawing(width, 240 if width == NARROW else 280)
        bottom = drawing.height - BELOW
        up = value_axis(drawing, [v.number for v in self.values], bottom, self.unit)
        step = (width - LEFT) / max(1, len(self.values))
        for position, value in enumerate(self.values):
            x = LEFT + position * step
            with drawing.mark(f"{value.label}: {value.text(self.unit)}", value.url):
                drawing.rect(x, 0, step, bottom, "hover")
                if value.number is not None:
                    top, base = sorted((up(value.number), up(0)))
                    kind = bar_kind(value.number, self.better)
                    drawing.rect(x + step * 0.1, top, step * 0.8, base - top, kind, 2)
        longest = max((len(v.label) for v in self.values), default=1)
        for position, value in thinned(list(self.values), int((width - LEFT) / (longest * 8 + 6))):
            x = LEFT + (position + 0.5) * step
            drawing.text(x, bottom + 16, value.label, "tick", "middle")
        drawing.text(LEFT + (width - LEFT) / 2, drawing.height - 5, self.of, "tick", "middle")
        return drawing

    def table(self) -> Table:
        return [self.of, self.unit, FLIGHTS], value_rows(self.values)
