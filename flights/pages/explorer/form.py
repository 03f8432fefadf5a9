"""The explorer's form: what it shows of an address, and the address of what was submitted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from flights.errors import BadQuery
from flights.mirror import MirroredTable, public
from flights.pages.formatting import address, title
from flights.query import columns
from flights.query.filters import condition, filters, plain

from .controls import OPERATORS, controls, suggestions
from .state import PATH, SHOWN, SHOWN_AT_MOST, State

LIMITS = ("10", "25", str(SHOWN), "100", "250", str(SHOWN_AT_MOST))
USUAL = {"limit": str(SHOWN), "view": "table"}
KEPT = ("group_by", "aggregate", "having", "facets", "count")
SIGNS = {
    **OPERATORS,
    "in": "is one of",
    **{"gt": ">", "gte": "≥", "lt": "<", "lte": "≤"},
    **{"contains": "contains, in this case", "startswith": "starts, in this case, with"},
    "endswith": "ends, in this case, with",
}


@dataclass(frozen=True)
class Chip:
    """A filter that holds, and the address without it."""

    text: str
    link: str


def shown(state: State) -> dict[str, Any]:
    """For the template."""
    given = filters(state.query)
    made, rest = controls(state.model, given)
    return {
        "controls": made,
        "rest": {**rest, **_kept(state)},
        "suggestions": suggestions(made),
        "operators": OPERATORS,
        "chips": [_chip(state, name, value) for name, value in given.items()],
        "columns": _columns(state),
        "orders": _orders(state),
        "limits": LIMITS if state.limit in LIMITS else (state.limit, *LIMITS),
        "charts": state.charts,
        "most": SHOWN_AT_MOST,
    }


def _kept(state: State) -> dict[str, str]:
    """What the form has no control for stays in the address when it is submitted."""
    return {name: state.query[name] for name in KEPT if state.query.get(name)}


def submitted(model: type[MirroredTable], form: QueryDict) -> str:
    """The explorer's address for a submitted form; what is empty or usual is left out."""
    given = {n: str(v) for n, v in form.items() if n not in ("form", "column") and ":" not in n}
    kept = {n: v for n, v in given.items() if v and v != USUAL.get(n)}
    return address(PATH, {**kept, **dict(_texts(model, form)), "columns": _ticked(model, form)})


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
    return Chip(_said(state.model, name, value), state.link({name: None, "offset": None}))


def _said(model: type[MirroredTable], name: str, value: str) -> str:
    try:
        field, lookup = condition(columns.of(model), name)
    except BadQuery:
        return f"{name} = {value}"
    empty = "is empty" if value.lower() == "true" else "has a value"
    said = empty if plain(lookup) == "isnull" else f"{SIGNS[plain(lookup)]} {value}"
    return f"{title(field)} {said if plain(lookup) == lookup else f'not: {said}'}"


def _columns(state: State) -> list[tuple[str, str, bool]]:
    """Name, title and whether it is shown of each column; the chosen ones first, in their order."""
    named = {public(field).lower(): field for field in state.columns.fields}
    asked = [name.strip().lower() for name in state.query.get("columns", "").split(",")]
    chosen = [named[name] for name in dict.fromkeys(asked) if name in named]
    ordered = dict.fromkeys([*chosen, *named.values()])
    return [(public(f), title(f), f in chosen or not chosen) for f in ordered]


def _orders(state: State) -> dict[str, str]:
    """What rows can be sorted by; an order of several columns stays a choice."""
    now = state.query.get("order_by", "")
    orders = {"": "the table's order"}
    for field in state.columns.fields:
        orders[public(field)] = f"{title(field)}, ascending"
        orders[f"-{public(field)}"] = f"{title(field)}, descending"
    return orders if now in orders else {**orders, now: now}
