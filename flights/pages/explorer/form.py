"""The explorer's form: an address shown as controls, and the address of a submitted form."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from flights.errors import BadQuery
from flights.mirror import MirroredTable, public
from flights.pages.formatting import address, title
from flights.query import columns, operators
from flights.query.filters import column_operator, filters
from flights.query.operators import OPERATORS

from . import controls
from .controls import CHOICES
from .state import PATH, SHOWN, SHOWN_AT_MOST, State

LIMITS = ("10", "25", str(SHOWN), "100", "250", str(SHOWN_AT_MOST))
DEFAULTS = {"limit": str(SHOWN), "view": "table"}
UNCHANGED = ("group_by", "aggregate", "having", "facets", "count")


@dataclass(frozen=True)
class Chip:
    """A filter of the query, and the address without it."""

    text: str
    link: str


def context(state: State) -> dict[str, Any]:
    """For the template."""
    conditions = filters(state.params)
    shown, rest = controls.read(state.model, conditions)
    return {
        "controls": shown,
        "rest": {**rest, **_without_control(state)},
        "suggestions": controls.suggestions(shown),
        "operators": CHOICES,
        "chips": [_chip(state, name, value) for name, value in conditions.items()],
        "columns": _columns(state),
        "orders": _orders(state),
        "limits": LIMITS if state.limit in LIMITS else (state.limit, *LIMITS),
        "charts": state.charts,
        "most": SHOWN_AT_MOST,
    }


def _without_control(state: State) -> dict[str, str]:
    """Parameters that the form sends along unchanged, because it has no control for them."""
    return {name: state.params[name] for name in UNCHANGED if state.params.get(name)}


def submitted(model: type[MirroredTable], form: QueryDict) -> str:
    """The explorer's address for a submitted form, without empty and default values."""
    params = {n: str(v) for n, v in form.items() if n not in ("form", "column") and ":" not in n}
    params = {n: v for n, v in params.items() if v and v != DEFAULTS.get(n)}
    return address(PATH, {**params, **dict(_texts(model, form)), "columns": _ticked(model, form)})


def _texts(model: type[MirroredTable], form: QueryDict) -> Iterator[tuple[str, str]]:
    for name in map(public, model.columns()):
        operator, text = form.get(f"{name}:operator", "exact"), form.get(f"{name}:text", "")
        if text:
            yield (name if operator == "exact" else f"{name}__{operator}"), text


def _ticked(model: type[MirroredTable], form: QueryDict) -> str | None:
    names = form.getlist("column")
    every = State(model, form).columns.names
    return ",".join(names) if names and names != every else None


def _chip(state: State, name: str, value: str) -> Chip:
    return Chip(_sentence(state.model, name, value), state.link({name: None, "offset": None}))


def _sentence(model: type[MirroredTable], name: str, value: str) -> str:
    """A filter for people: "City is not: Boston"."""
    try:
        field, operator = column_operator(columns.of(model), name)
    except BadQuery:
        return f"{name} = {value}"
    plain, negated = operators.split(operator)
    text = f"{OPERATORS[plain].label} {value}"
    if plain == "isnull":
        text = "is empty" if value.lower() == "true" else "has a value"
    return f"{title(field)} {f'not: {text}' if negated else text}"


def _columns(state: State) -> list[tuple[str, str, bool]]:
    """Name, title and visibility of each column; the visible ones first, in their order."""
    named = {public(field).lower(): field for field in state.columns.fields}
    names = [name.strip().lower() for name in state.params.get("columns", "").split(",")]
    chosen = [named[name] for name in dict.fromkeys(names) if name in named]
    ordered = dict.fromkeys([*chosen, *named.values()])
    return [(public(f), title(f), f in chosen or not chosen) for f in ordered]


def _orders(state: State) -> dict[str, str]:
    """The choices of an order; an order of several columns stays one of them."""
    now = state.params.get("order_by", "")
    orders = {"": "the table's order"}
    for field in state.columns.fields:
        orders[public(field)] = f"{title(field)}, ascending"
        orders[f"-{public(field)}"] = f"{title(field)}, descending"
    return orders if now in orders else {**orders, now: now}
