"""What every chart has: values with their flights, a unit, and a table of its values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flights.pages import formatting

from .svg import Drawing

WIDE, NARROW = 680, 360  # units of a drawing, about pixels on a page
FLIGHTS = "Flights"

type Cell = str | float | None
type Table = tuple[list[str], list[list[Cell]]]


@dataclass(frozen=True)
class Value:
    """A figure of a chart. Without a number it is drawn as a gap, never as zero."""

    label: str  # of the thing or time: "JetBlue Airways", "Jul 2013"
    number: float | None
    flights: int | None = None  # that the number rests on
    url: str = ""  # of the page about the thing

    def text(self, unit: str) -> str:
        """`65.83 %, 2,312 flights`"""
        number = "no value" if self.number is None else with_unit(self.number, unit)
        return f"{number}, {formatting.count(self.flights, 'flight')}" if self.flights else number


class Chart(Protocol):
    @property
    def unit(self) -> str:
        """`%`, `minutes`, `flights`."""

    def draw(self, width: int) -> Drawing:
        """Draw the chart at a width of WIDE or NARROW."""

    def table(self) -> "Table":
        """The column titles and the rows of the chart's values."""


def with_unit(number: float, unit: str) -> str:
    """`65.83 %`, `12.00 minutes`, `1 minute`."""
    text = formatting.figure(number)
    return f"{text} {unit.removesuffix('s') if text == '1' else unit}".strip()


def value_rows(values: Sequence[Value]) -> list[list[Cell]]:
    """The rows of a table of values: label, number, flights."""
    return [[v.label, v.number, v.flights] for v in values]


def bar_kind(number: float, better: str) -> str:
    """The class of a bar: by whether its value is good, where "low" or "high" values are."""
    if not better:
        return "bar"
    return "bar good" if (number < 0) == (better == "low") else "bar bad"
