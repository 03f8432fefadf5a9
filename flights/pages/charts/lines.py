"""Lines over time or another ordered scale: one for each series."""

from collections.abc import Sequence
from dataclasses import dataclass

from .chart import FLIGHTS, NARROW, Cell, Table, Value
from .scale import Scale, thinned, value_axis
from .svg import Drawing

LEFT, RIGHT, BELOW = 38, 10, 40  # room around the lines
LEGEND = 22  # height of a line of the legend


@dataclass(frozen=True)
class Series:
    """A line. All series of a chart have values at the same labels, in the same order."""

    name: str
    values: Sequence[Value]


@dataclass(frozen=True)
class Lines:
    series: Sequence[Series]
    unit: str
    of: str = ""  # what the labels name: "Month"
    from_zero: bool = False  # otherwise the axis begins near the lowest value

    def draw(self, width: int) -> Drawing:
        legend = LEGEND * len(self.series) if len(self.series) > 1 else 0
        drawing = Drawing(width, (250 if width == NARROW else 300) + legend)
        bottom = drawing.height - BELOW - legend
        numbers = [v.number for series in self.series for v in series.values]
        up = value_axis(drawing, numbers, bottom, self.unit, zero=self.from_zero)
        along = Scale(0, max(1, len(self._labels) - 1), LEFT, width - RIGHT)
        for number, series in enumerate(self.series, 1):
            self._line(drawing, series, f"s{number}", along, up)
        self._ticks(drawing, along, bottom)
        for number, series in enumerate(self.series if legend else (), 1):
            y = drawing.height - legend + LEGEND * number - 8
            drawing.rect(LEFT, y - 9, 22, 4, f"key s{number}", 2)
            drawing.text(LEFT + 30, y - 2, series.name, "label")
        return drawing

    def table(self) -> Table:
        names = [f"{s.name}, {self.unit}" if s.name else self.unit for s in self.series]
        heads = [self.of, *(head for name in names for head in (name, FLIGHTS))]
        rows = [
            [label, *(t for s in self.series for t in _cells(s.values[position]))]
            for position, label in enumerate(self._labels)
        ]
        return heads, rows

    @property
    def _labels(self) -> list[str]:
        return [v.label for v in self.series[0].values] if self.series else []

    def _line(self, drawing: Drawing, series: Series, kind: str, along: Scale, up: Scale) -> None:
        for run in _runs(series.values):
            points = [(along(at), up(number)) for at, number in run]
            drawing.path(points, f"line {kind}")
        for position, value in enumerate(series.values):
            if value.number is not None:
                name = f"{series.name}, {value.label}" if series.name else value.label
                with drawing.mark(f"{name}: {value.text(self.unit)}", value.url):
                    x, y = along(position), up(value.number)
                    drawing.circle(x, y, 12, "hover")
                    drawing.circle(x, y, 4 if len(series.values) <= 40 else 2, f"dot {kind}")

    def _ticks(self, drawing: Drawing, along: Scale, bottom: int) -> None:
        longest = max(map(len, self._labels), default=1)
        room = int((drawing.width - LEFT) / (longest * 8 + 8))
        for position, label in thinned(self._labels, room):
            x = along(position)
            anchor = "end" if x > drawing.width - 4 * longest else "middle"
            drawing.text(x, bottom + 16, label, "tick", anchor)
        drawing.text((LEFT + drawing.width) / 2, bottom + 34, self.of, "tick", "middle")


def _cells(value: Value) -> tuple[Cell, Cell]:
    return value.number, value.flights


def _runs(values: Sequence[Value]) -> list[list[tuple[int, float]]]:
    """The positions and numbers between gaps, so that no line crosses a missing value."""
    runs: list[list[tuple[int, float]]] = [[]]
    for position, value in enumerate(values):
        if value.number is None:
            runs.append([])
        else:
            runs[-1].append((position, value.number))
    return [run for run in runs if len(run) > 1]
