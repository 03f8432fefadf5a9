"""Bars of a chart, as SVG geometry in percent: text beside them keeps its size on any screen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import formats
from .errors import BadQuery
from .formats import kind
from .mirror import MirroredTable, column, public


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
        label="" if label is None else formats.value(label),
        text=None if value is None else formats.number(value),
        start=_percent(start),
        length=_percent(length),
        top=_percent(1 - start - length),
        below=drawn < 0,
        flights=flights,
    )


def _percent(share: float) -> str:
    return f"{max(0.0, share):.2%}"


def choices(model: type[MirroredTable]) -> dict[str, str]:
    """Every chart of a table, `label,value` columns, with its title."""
    labels = [f for f in model.columns() if kind(f) != "number"]
    values = [f for f in model.columns() if kind(f) == "number"]
    return {
        f"{public(label)},{public(value)}": f"{formats.title(value)} by {formats.title(label)}"
        for value in values
        for label in labels
    }


def choice(model: type[MirroredTable], asked: str, order: str) -> str:
    """The chart that is asked for; where none is, of what the rows are sorted by."""
    there = {name.lower(): name for name in choices(model)}
    if asked.lower() in there:
        return there[asked.lower()]
    if asked:
        raise BadQuery(f"chart: {asked[:80]!r} is no chart of this table.", list(there.values()))
    declared = [column(model, name.removeprefix("-")) for name in model.mirror.order]
    return _default(list(there.values()), [*order.split(","), *declared])


def _default(charts: list[str], sorted_by: list[str]) -> str:
    for name in sorted_by:
        for found in charts:
            if found.lower().endswith(f",{name.strip().removeprefix('-').lower()}"):
                return found
    return charts[0]
