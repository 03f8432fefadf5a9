"""Horizontal bars: one for each thing, with its value and its number of flights."""

from collections.abc import Sequence
from dataclasses import dataclass

from flights.pages import formatting

from .chart import FLIGHTS, NARROW, Table, Value, bar_kind, value_rows
from .scale import Scale, scale
from .svg import Drawing

ROW, THICK = 30, 18  # heights of a row and of its bar
LETTER = 7.2  # average width of a letter
HEAD = 20  # height of the line above the bars


@dataclass(frozen=True)
class Bars:
    values: Sequence[Value]
    unit: str
    of: str = ""  # what each bar stands for, such as "Airline"
    better: str = ""  # "low" or "high" values are good: colour bars below and above zero by it

    def draw(self, width: int) -> Drawing:
        narrow = width == NARROW
        row = ROW + 16 if narrow else ROW
        drawing = Drawing(width, HEAD + row * len(self.values) + 4)
        left = 0 if narrow else min(width * 0.36, LETTER * self._longest + 16)
        counted = any(v.flights is not None for v in self.values)
        right = width - (138 if counted else 76)
        across = scale([v.number for v in self.values], left, right)
        drawing.text(width, 12, FLIGHTS.lower() if counted else "", "tick", "end")
        drawing.text(width - (64 if counted else 0), 12, self.unit, "tick", "end")
        drawing.line(across(0), HEAD, across(0), drawing.height - 4, "axis")
        for position, value in enumerate(self.values):
            self._bar(drawing, value, across, HEAD + position * row, narrow)
        return drawing

    def table(self) -> Table:
        return [self.of, self.unit, FLIGHTS], value_rows(self.values)

    def _bar(self, drawing: Drawing, value: Value, across: Scale, y: float, narrow: bool) -> None:
        bar = y + (18 if narrow else (ROW - THICK) / 2)
        base, width = bar + THICK - 4, drawing.width
        with drawing.mark(f"{value.label}: {value.text(self.unit)}", value.url):
            drawing.rect(0, y, width, 46 if narrow else ROW, "hover")
            label = value.label if narrow else _cut(value.label, width * 0.36)
            drawing.text(0, y + 13 if narrow else base, label, "label")
            if value.number is not None:
                start, end = sorted((across(0), across(value.number)))
                drawing.rect(start, bar, end - start, THICK, bar_kind(value.number, self.better), 2)
            at = width if value.flights is None else width - 64
            number = "–" if value.number is None else formatting.figure(value.number)  # noqa: RUF001
            drawing.text(at, base, number, "value", "end")
            if value.flights is not None:
                drawing.text(width, base, formatting.figure(value.flights), "tick", "end")

    @property
    def _longest(self) -> int:
        return max((len(v.label) for v in self.values), default=0)


def _cut(text: str, width: float) -> str:
    most = int(width / LETTER)
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
