"""Bars of a chart, as SVG geometry in percent: text beside them keeps its size on any screen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flights.errors import BadQuery
from flights.mirror import Field, public

from . import formatting


@dataclass(frozen=True)
class Bar:
    label: str
    text: str | None  # None where there is no value
    start: str
    length: str
    top: str  # where it starts when it stands
    below: bool  # under zero
    flights: str  # of which the value is the average; "" where that is not known


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]
    zero: str  # the axis from the left
    ground: str  # the axis from the top


def chart(rows: Sequence[tuple[Any, float | None]], flights: Sequence[str] = ()) -> Chart:
    """Bars of labels and values on one scale that has zero on it."""
    drawn = [value for _, value in rows if value is not None and math.isfinite(value)]
    low, high = min([0.0, *drawn]), max([0.0, *drawn])
    span = high - low or 1.0
    beside = flights or [""] * len(rows)
    bars = [_bar(*row, low, span, number) for row, number in zip(rows, beside, strict=True)]
    return Chart(bars, _percent(-low / span), _percent(high / span))


def _bar(label: Any, value: float | None, low: float, span: float, flights: str) -> Bar:
    drawn = value if value is not None and math.isfinite(value) else 0.0
    start, length = (min(drawn, 0.0) - low) / span, abs(drawn) / span
    return Bar(
        label="" if label is None else formatting.value(label),
        text=None if value is None else formatting.number(value),
        start=_percent(start),
        length=_percent(length),
        top=_percent(1 - start - length),
        below=drawn < 0,
        flights=flights,
    )


def _percent(share: float) -> str:
    return f"{max(0.0, share):.2%}"


def choices(labels: Sequence[Field], values: Sequence[Field]) -> dict[str, str]:
    """Every chart of columns, as `label,value`, with its title."""
    return {
        f"{public(label)},{public(value)}": (
            f"{formatting.title(value)} by {formatting.title(label)}"
        )
        for value in values
        for label in labels
    }


def choice(charts: dict[str, str], name: str, sorted_by: Sequence[str]) -> str:
    """The chart of a name; without a name the chart of what the rows are sorted by."""
    if not charts:
        raise BadQuery("A chart needs a column of numbers, and another to label them by.")
    known = {chart.lower(): chart for chart in charts}
    if name.lower() in known:
        return known[name.lower()]
    if name:
        raise BadQuery(f"chart: {name[:80]!r} is no chart of this table.", list(charts))
    return _default(list(charts), sorted_by)


def _default(charts: list[str], sorted_by: Sequence[str]) -> str:
    for name in sorted_by:
        for chart in charts:
            if chart.lower().endswith(f",{name.strip().removeprefix('-').lower()}"):
                return chart
    return charts[0]
