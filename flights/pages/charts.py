"""Bar charts as SVG geometry in percent, so that the HTML text beside the bars is not scaled."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flights.errors import BadQuery
from flights.mirror import Field, public

from . import formatting


@dataclass(frozen=True)
class Bar:
    """A bar; lengths are percentages of the chart, such as `12.50%`."""

    label: str
    text: str | None  # None: no value
    start: str  # left end of a horizontal bar
    length: str
    top: str  # upper end of a vertical bar
    below: bool  # whether the value is negative
    flights: str  # number of flights in the average; "" if unknown


@dataclass(frozen=True)
class Chart:
    """Bars with the position of their zero line."""

    bars: list[Bar]
    zero: str  # from the left, for horizontal bars
    ground: str  # from the top, for vertical bars


def chart(rows: Sequence[tuple[Any, float | None]], flights: Sequence[str] = ()) -> Chart:
    """Draw (label, value) pairs on one scale that includes zero.

    `flights` has a text for each pair, or is empty.
    """
    numbers = [value for _, value in rows if value is not None and math.isfinite(value)]
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    span = high - low or 1.0
    texts = flights or [""] * len(rows)
    bars = [_bar(*row, low, span, text) for row, text in zip(rows, texts, strict=True)]
    return Chart(bars, _percent(-low / span), _percent(high / span))


def _bar(label: Any, value: float | None, low: float, span: float, flights: str) -> Bar:
    number = value if value is not None and math.isfinite(value) else 0.0
    start, length = (min(number, 0.0) - low) / span, abs(number) / span
    return Bar(
        label="" if label is None else formatting.value(label),
        text=None if value is None else formatting.number(value),
        start=_percent(start),
        length=_percent(length),
        top=_percent(1 - start - length),
        below=number < 0,
        flights=flights,
    )


def _percent(share: float) -> str:
    return f"{max(0.0, share):.2%}"


def choices(labels: Sequence[Field], values: Sequence[Field]) -> dict[str, str]:
    """Return the title of each possible chart, by its name `LABEL_COLUMN,VALUE_COLUMN`."""
    return {
        f"{public(label)},{public(value)}": (
            f"{formatting.title(value)} by {formatting.title(label)}"
        )
        for value in values
        for label in labels
    }


def choice(charts: dict[str, str], name: str, sorted_by: Sequence[str]) -> str:
    """Return the name of a chart, ignoring case; without a name, a chart of the sorted column.

    Raises BadQuery if there is no such chart, or none at all.
    """
    if not charts:
        raise BadQuery("A chart needs a column of numbers and another column for the labels.")
    known = {chart.lower(): chart for chart in charts}
    if name.lower() in known:
        return known[name.lower()]
    if name:
        raise BadQuery(f"chart: {name[:80]!r} is not a chart of this table.", list(charts))
    return _default(list(charts), sorted_by)


def _default(charts: list[str], sorted_by: Sequence[str]) -> str:
    for name in sorted_by:
        for chart in charts:
            if chart.lower().endswith(f",{name.strip().removeprefix('-').lower()}"):
                return chart
    return charts[0]
