"""A figure: a chart with everything that a reader needs to trust and cite it."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from django.utils.safestring import SafeString, mark_safe

from flights.pages import formatting

from .chart import FLIGHTS, NARROW, WIDE, Cell, Chart


@dataclass(frozen=True)
class Figure:
    name: str  # in addresses: "months"
    title: str  # "Percent on time by month"
    measure: str  # what the values are: "Percent of scheduled flights that arrive less than …"
    chart: Chart
    source: str  # "US Bureau of Transportation Statistics; performance_by_month, version 3"
    flights: int | None = None  # that all values together rest on
    data: str = ""  # address of the query API with the same values
    sentence: str = ""  # what the figure says

    @property
    def basis(self) -> str:
        """`12,075 flights`, or nothing."""
        return "" if self.flights is None else formatting.count(self.flights, "flight")

    @property
    def wide(self) -> SafeString:
        return self._drawn(WIDE)

    @property
    def narrow(self) -> SafeString:
        return self._drawn(NARROW)

    @property
    def heads(self) -> list[str]:
        return self._texts[0]

    @property
    def rows(self) -> list[list[str]]:
        """The chart's values as texts; a missing one is empty."""
        return self._texts[1]

    @cached_property
    def _texts(self) -> tuple[list[str], list[list[str]]]:
        return value_texts(*self.chart.table())

    def csv(self) -> str:
        """The values as CSV."""
        return csv_text(*self.chart.table())

    def _drawn(self, width: int) -> SafeString:
        # The table of values says the same to screen readers.
        return mark_safe(self.chart.draw(width).markup(' aria-hidden="true"'))  # noqa: S308


def csv_text(heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([heads, *rows])
    return text.getvalue()


def value_texts(
    heads: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> tuple[list[str], list[list[str]]]:
    """The heads and values of a table as pages write them; a missing value is empty.

    Left out are numbers of flights that no value has, such as where the values are flights.
    """
    shown = [
        place
        for place, head in enumerate(heads)
        if head != FLIGHTS or any(row[place] is not None for row in rows)
    ]
    return [heads[at] for at in shown], [[_text(row[at]) for at in shown] for row in rows]


def _text(cell: Cell) -> str:
    if cell is None or isinstance(cell, str):
        return cell or ""
    return formatting.figure(cell)
