"""What is shown of the API's answer: a table or a chart, and the pages around it."""

from dataclasses import dataclass
from typing import Any

from rest_framework.response import Response

from flights.mirror import Field, public
from flights.models import TableVersion
from flights.pages import charts, formatting
from flights.pages.formatting import kind
from flights.query import query
from flights.versions import READER

from .state import State


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
    """The most frequent values of a column, each with its rows and the address of those."""

    title: str
    values: list[tuple[str | None, str, str]]


def shown(state: State, answer: Response) -> dict[str, Any]:
    """For the template, from the API's answer."""
    body = answer.data
    around = {**_page(state, answer), "facets": _facets(state, body.get("facets", {}))}
    if state.view == "chart":
        return {**around, **_chart(state, body["results"])}
    fields = query.read(state.model, state.parameters).columns
    heads = [_head(state, field) for field in fields]
    rows = [list(map(_cell, heads, row.values())) for row in body["results"]]
    return {**around, "heads": heads, "rows": rows}


def _facets(state: State, counted: dict[str, list[dict[str, Any]]]) -> list[Facet]:
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
        for name, values in counted.items()
    ]


def _rows_with(state: State, name: str, value: Any) -> str:
    condition = {f"{name}__isnull": "true"} if value is None else {name: str(value)}
    return state.link({**condition, "facets": None, "offset": None})


def _text(value: Any) -> str | None:
    return None if value is None else formatting.value(value)


def _cell(head: Head, value: Any) -> Cell:
    return Cell(_text(value), head.number)


def _chart(state: State, rows: list[dict[str, Any]]) -> dict[str, Any]:
    label, value = state.chart.split(",")
    return {
        "chart": charts.chart([(row[label], row[value]) for row in rows]),
        "drawn": state.chart,
        "chart_title": state.charts[state.chart],
    }


def _page(state: State, answer: Response) -> dict[str, Any]:
    body = answer.data
    limit, offset, count = body["limit"], body["offset"], len(body["results"])
    version = _version(state.table, body["version"])
    return {
        "count": count,
        "first": formatting.number(offset + 1),
        "last": formatting.number(offset + count),
        "total": formatting.number(int(answer["X-AirSense-Count"])),
        "guessed": answer["X-AirSense-Count-Is"] == "estimated",
        "groups": state.grouping is not None,
        "number": body["version"],
        "version": version,
        "next": state.link({"offset": str(offset + limit)}) if body["next"] else None,
        "previous": _previous(state, offset, limit),
    }


def _previous(state: State, offset: int, limit: int) -> str | None:
    before = max(0, offset - limit)
    return state.link({"offset": str(before) if before else None}) if offset else None


def _version(table: str, number: int) -> TableVersion | None:
    """The version of an answer; None where it was pruned since."""
    return TableVersion.objects.using(READER).filter(table=table, number=number).first()


def _head(state: State, field: Field) -> Head:
    name, number = public(field), kind(field) == "number"
    first = state.query.get("order_by", "").split(",")[0].strip()
    now = "none"
    if first.removeprefix("-").lower() == name.lower():
        now = "descending" if first.startswith("-") else "ascending"
    # People who sort numbers want the largest first, and names from A to Z.
    descends = now == "ascending" or (now == "none" and number)
    link = state.link({"order_by": f"-{name}" if descends else name, "offset": None})
    return Head(formatting.title(field), str(field.help_text), number, now, link)
