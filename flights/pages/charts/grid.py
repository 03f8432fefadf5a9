"""A grid of colours: days of the week by hours, months by airlines."""

from collections.abc import Sequence
from dataclasses import dataclass

from .chart import FLIGHTS, Table, Value
from .levels import Levels
from .scale import thinned
from .svg import Drawing

ROW, TOP, KEY = 30, 22, 44  # heights of a row, of the labels above, and of the key below


@dataclass(frozen=True)
class Grid:
    """Values by row and column. None is a combination without flights; it stays empty."""

    rows: Sequence[tuple[str, Sequence[Value | None]]]
    columns: Sequence[str]
    unit: str
    of: tuple[str, str] = ("", "")  # what the rows and the columns name
    better: str = "low"  # whether "low" or "high" values are good; bad ones are dark

    def draw(self, width: int) -> Drawing:
        left = 8.2 * max((len(label) for label, _ in self.rows), default=0) + 8
        step = (width - left) / max(1, len(self.columns))
        drawing = Drawing(width, TOP + ROW * len(self.rows) + KEY)
        levels = Levels.of((v for _, values in self.rows for v in values), self.unit, self.better)
        longest = max(map(len, self.columns), default=1)
        for at, label in thinned(list(self.columns), int((width - left) / (longest * 8 + 4))):
            drawing.text(left + (at + 0.5) * step, 14, label, "tick", "middle")
        for line, (label, values) in enumerate(self.rows):
            y = TOP + line * ROW
            drawing.text(0, y + ROW / 2 + 5, label, "label")
            for column, value in enumerate(values):
                if value is not None and value.number is not None:
                    name = f"{label}, {self.columns[column]}"
                    with drawing.mark(f"{name}: {value.text(self.unit)}", value.url):
                        x, kind = left + column * step, levels.kind(value.number)
                        drawing.rect(x + 1, y + 1, step - 2, ROW - 2, kind, 3)
        levels.key(drawing, left)
        return drawing

    def table(self) -> Table:
        rows = [
            [label, column, value.number, value.flights]
            for label, values in self.rows
            for column, value in zip(self.columns, values, strict=True)
            if value is not None
        ]
        return [*self.of, self.unit, FLIGHTS], rows
