"""Facets: the most frequent values of columns with their row counts, as links that filter."""

from dataclasses import dataclass
from typing import Any

from flights.mirror import Field, public
from flights.pages import formatting
from flights.query.counting import Facets

from .state import State


@dataclass(frozen=True)
class Link:
    text: str
    link: str
    is_on: bool


@dataclass(frozen=True)
class FacetValue:
    text: str | None  # None: the rows whose value is null
    rows: str
    link: str
    is_on: bool  # whether the rows are filtered by this value; then the link removes the filter


@dataclass(frozen=True)
class Facet:
    title: str
    values: list[FacetValue]
    removal: str


def context(state: State, counted: Facets | None) -> dict[str, Any]:
    """The template's context; `counted` is None if a later request counts the values."""
    shown = [_facet(state, name, values) for name, values in (counted or {}).items()]
    return {
        "facets": shown,
        "facets_later": [link.text for link in toggles(state) if link.is_on and counted is None],
    }


def toggles(state: State) -> list[Link]:
    """A link for each column that has facets: it shows or hides the column's facet."""
    if state.grouping:
        return []
    chosen = _chosen(state)
    countable = [f for f in state.model.columns() if f.name in state.model.mirror.facets]
    return [_toggle(state, field, chosen) for field in countable]


def _chosen(state: State) -> list[str]:
    names = state.params.get("facets", "").split(",")
    return [name.strip().lower() for name in names if name.strip()]


def _toggle(state: State, field: Field, chosen: list[str]) -> Link:
    name = public(field)
    is_on = name.lower() in chosen
    return Link(formatting.title(field), _toggled(state, name), is_on)


def _toggled(state: State, name: str) -> str:
    names = [each for each in state.params.get("facets", "").split(",") if each.strip()]
    others = [each for each in names if each.strip().lower() != name.lower()]
    return state.link(
        {"facets": ",".join(others if len(others) < len(names) else [*names, name]) or None}
    )


def _facet(state: State, name: str, values: list[dict[str, Any]]) -> Facet:
    return Facet(
        formatting.title(state.columns.find(name)),
        [_value(state, name, each["value"], each["rows"]) for each in values],
        _toggled(state, name),
    )


def _value(state: State, name: str, value: Any, rows: int) -> FacetValue:
    text = None if value is None else formatting.value(value)
    parameter, selected = (f"{name}__isnull", "true") if value is None else (name, str(value))
    is_on = state.filters.get(parameter) == selected
    link = state.link({parameter: None if is_on else selected, "offset": None})
    return FacetValue(text, formatting.number(rows), link, is_on)
