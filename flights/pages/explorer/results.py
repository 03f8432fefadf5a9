"""A result for the template: a table or a chart, and the pages around it."""

from dataclasses import dataclass
from typing import Any

from flights.mirror import Field, public
from flights.pages import charts, formatting
from flights.pages.formatting import kind

from .state import Result, State


@dataclass(frozen=True)
class Head:
    title: str
    meaning: str
    number: bool
    sorted: str  # ascending, descending, none
    link: str  # sorted by it, or the other way round


@dataclass(frozen=True)
class Cell:
    text: str | None  # None where there is no value
    number: bool


@dataclass(frozen=True)
class Facet:
    """The most frequent values of a column: each with its number of rows and their address."""

    title: str
    values: list[tuple[str | None, str, str]]


def context(state: State, result: Result) -> dict[str, Any]:
    """For the template."""
    around = {**_page(state, result), "facets": _facets(state, result)}
    if state.view == "chart":
        return {**around, **_chart(state, result)}
    heads = [_head(state, field) for field in result.query.columns]
    rows = [list(map(_cell, heads, row.values())) for row in result.page.rows]
    return {**around, "heads": heads, "rows": rows}


def _facets(state: State, result: Result) -> list[Facet]:
    return [
        Facet(
            formatting.title(state.columns.find(name)),
            [
                (
                    _text(v["value"]),
                    formatting.number(v["rows"]),
                    _rows_with(state, name, v["value"]),
                )
                for v in values
            ],
        )
        for name, values in result.facets.items()
    ]


def _rows_with(state: State, name: str, value: Any) -> str:
    condition = {f"{name}__isnull": "true"} if value is None else {name: str(value)}
    return state.link({**condition, "facets": None, "offset": None})


def _text(value: Any) -> str | None:
    return None if value is None else formatting.value(value)


def _cell(head: Head, value: Any) -> Cell:
    return Cell(_text(value), head.number)


def _chart(state: State, result: Result) -> dict[str, Any]:
    label, value = state.chart.split(",")
    return {
        "chart": charts.chart([(row[label], row[value]) for row in result.page.rows]),
        "drawn": state.chart,
        "chart_title": state.charts[state.chart],
    }


def _page(state: State, result: Result) -> dict[str, Any]:
    limit, offset, count = result.query.limit, result.query.offset, len(result.page.rows)
    return {
        "count": count,
        "first": formatting.number(offset + 1),
        "last": formatting.number(offset + count),
        "total": formatting.number(result.count),
        "guessed": result.is_estimate,
        "groups": state.grouping is not None,
        "number": result.version.number,
        "version": result.version,
        "next": state.link({"offset": str(offset + limit)}) if result.page.next else None,
        "previous": _previous(state, offset, limit),
    }


def _previous(state: State, offset: int, limit: int) -> str | None:
    before = max(0, offset - limit)
    return state.link({"offset": str(before) if before else None}) if offset else None


def _head(state: State, field: Field) -> Head:
    name, number = public(field), kind(field) == "number"
    first = state.params.get("order_by", "").split(",")[0].strip()
    now = "none"
    if first.removeprefix("-").lower() == name.lower():
        now = "descending" if first.startswith("-") else "ascending"
    # The first click sorts numbers from the largest on, and names from A to Z.
    descends = now == "ascending" or (now == "none" and number)
    link = state.link({"order_by": f"-{name}" if descends else name, "offset": None})
    return Head(formatting.title(field), str(field.help_text), number, now, link)
