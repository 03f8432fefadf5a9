"""Rows of a table as a drawing, so that a query without a chart has a picture, too."""

from collections.abc import Sequence
from dataclasses import dataclass

from flights.pages import formatting

from .chart import Cell, Table
from .svg import Drawing

ROW = 26  # height of a row
MOST, WIDEST = 25, 6  # rows and columns of a drawing; the table of values has all of them
LETTER = 7.4  # width of a letter, about


@dataclass(frozen=True)
class Rows:
    heads: Sequence[str]
    values: Sequence[Sequence[Cell]]
    unit: str = ""

    def draw(self, width: int) -> Drawing:
        heads, rows = self.heads[:WIDEST], [row[:WIDEST] for row in self.values[:MOST]]
        cut = self._cut
        drawing = Drawing(width, ROW * (len(rows) + 1) + (ROW if cut else 0) + 6)
        step = width / max(1, len(heads))
        self._row(drawing, heads, 0, step, "tick")
        drawing.line(0, ROW - 4, width, ROW - 4, "axis")
        for position, row in enumerate(rows, 1):
            self._row(drawing, list(map(_text, row)), position, step, "label")
        if cut:
            drawing.text(0, drawing.height - 8, cut, "tick")
        return drawing

    def table(self) -> Table:
        return list(self.heads), [list(row) for row in self.values]

    @property
    def _cut(self) -> str:
        """What the drawing leaves out."""
        more = [
            f"{len(items) - most:,} more {what}"
            for items, most, what in ((self.values, MOST, "rows"), (self.heads, WIDEST, "columns"))
            if len(items) > most
        ]
        return " and ".join(more)

    def _row(
        self, drawing: Drawing, texts: Sequence[str], position: int, step: float, kind: str
    ) -> None:
        most = max(3, int(step / LETTER) - 1)
        for column, text in enumerate(texts):
            short_text = text if len(text) <= most else f"{text[: most - 1]}…"
            drawing.text(column * step, position * ROW + 16, short_text, kind)


def _text(cell: Cell) -> str:
    if cell is None:
        return "–"  # noqa: RUF001
    return cell if isinstance(cell, str) else formatting.figure(cell)
