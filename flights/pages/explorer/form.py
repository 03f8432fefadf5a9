"""The explorer's form: an address shown as controls, and the address of a submitted form."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from flights.mirror import MirroredTable, public
from flights.pages.formatting import address, title

from . import chart_form, controls, facets, suggestions, summary
from .address import OWN, SHOWN, SHOWN_AT_MOST
from .controls import CHOICES
from .links import PATH, fitting
from .sentences import sentence
from .state import State

LIMITS = ("10", "25", str(SHOWN), "100", "250", str(SHOWN_AT_MOST))
FIRST = 8  # filters that are visible at once; the others are folded until they are set
DEFAULTS = {"limit": str(SHOWN), "view": "table"}
UNCHANGED = ("group_by", "aggregate", "having", "facets", "count")


@dataclass(frozen=True)
class Chip:
    """A filter of the query, and the address without it."""

    name: str
    text: str
    link: str


def context(state: State) -> dict[str, Any]:
    """For the template."""
    shown, rest = controls.read(state.model, state.filters)
    return {
        "controls": [control for control in shown if control.is_set or control in shown[:FIRST]],
        "more_controls": [control for control in shown[FIRST:] if not control.is_set],
        "rest": {**rest, **_without_control(state)},
        "suggestions": suggestions.of(state.model),
        "operators": CHOICES,
        "chips": chips(state),
        "columns": _columns(state),
        "orders": _orders(state),
        "limits": LIMITS if state.limit in LIMITS else (state.limit, *LIMITS),
        "most": SHOWN_AT_MOST,
        "toggles": facets.toggles(state),
        **summary.context(state),
        **chart_form.context(state),
    }


def chips(state: State) -> list[Chip]:
    return [
        Chip(name, sentence(state.model, name, value), state.link({name: None, "offset": None}))
        for name, value in state.filters.items()
    ]


def _without_control(state: State) -> dict[str, str]:
    """Parameters that the form sends along unchanged, because it has no control for them."""
    own = {"language": state.address.get("language", "")}
    unchanged = {**{name: state.params.get(name) for name in UNCHANGED}, **own}
    return {name: value for name, value in unchanged.items() if value}


def submitted(model: type[MirroredTable], form: QueryDict) -> str:
    """The explorer's address for a submitted form, without empty and default values."""
    params = {n: str(v) for n, v in form.items() if n not in ("form", "column") and ":" not in n}
    params = {n: v for n, v in params.items() if v and v != DEFAULTS.get(n)}
    before = State(model, form)
    params |= dict(_texts(model, form))
    if names := _ticked(before, form):
        params["columns"] = names
    if chart := chart_form.submitted(form):
        params["chart"] = chart
    if new := summary.added(before, form):
        own = {name: value for name, value in params.items() if name in OWN}
        rest = {name: value for name, value in params.items() if name not in OWN}
        rest.pop("columns", None)  # the new column has to be seen
        params = {**own, **fitting(model, {**rest, **new})}
    return address(PATH, params)


def _texts(model: type[MirroredTable], form: QueryDict) -> Iterator[tuple[str, str]]:
    for name in map(public, model.columns()):
        operator, text = form.get(f"{name}:operator", "exact"), form.get(f"{name}:text", "")
        if text:
            yield (name if operator == "exact" else f"{name}__{operator}"), text


def _ticked(before: State, form: QueryDict) -> str | None:
    names = form.getlist("column")
    return ",".join(names) if names and names != before.columns.names else None


def _columns(state: State) -> list[tuple[str, str, bool]]:
    """Name, title and visibility of each column; the visible ones first, in their order."""
    named = {public(field).lower(): field for field in state.columns.fields}
    names = [name.strip().lower() for name in state.params.get("columns", "").split(",")]
    chosen = [named[name] for name in dict.fromkeys(names) if name in named]
    ordered = dict.fromkeys([*chosen, *named.values()])
    return [(public(f), title(f), f in chosen or not chosen) for f in ordered]


def _orders(state: State) -> dict[str, str]:
    """The choices of the order: each column in both directions, and the current order."""
    now = state.params.get("order_by", "")
    orders = {"": "the table's order"}
    for field in state.columns.fields:
        orders[public(field)] = f"{title(field)}, ascending"
        orders[f"-{public(field)}"] = f"{title(field)}, descending"
    return orders if now in orders else {**orders, now: now}
