"""The query of a chart: which rows, columns and flights it reads, as parameters of the API."""

from typing import TYPE_CHECKING

from django.conf import settings

from flights.mirror import Field, public
from flights.query import aggregates

from .chart_choice import BY, GRID, HISTOGRAM, MAP, SCATTER, Choice, is_ordered

if TYPE_CHECKING:
    from .state import State

MOST_DRAWN = "500"  # rows of a chart for which no limit is chosen: 16 months of days


def changes(state: "State") -> dict[str, str | None]:
    """Parameters that a chart sets; None removes one."""
    choice = state.choice
    if choice.kind == HISTOGRAM:
        return _values_counted(choice)
    names, values = flights(state)
    columns = dict.fromkeys([*map(public, fields(state)), *names])
    changed: dict[str, str | None] = {"columns": ",".join(columns), "limit": state.limit}
    if values:
        changed["aggregate"] = ",".join(values)
    if not state.params.get("limit") and (choice.kind in (GRID, MAP) or is_scale(state)):
        changed["limit"] = MOST_DRAWN
    if not state.params.get("order_by") and is_scale(state):
        changed["order_by"] = public(choice.fields[0])
    return changed


def _values_counted(choice: Choice) -> dict[str, str | None]:
    """How many rows have each value; the classes of a histogram are made of these."""
    name, most = public(choice.fields[0]), str(settings.MAX_LIMIT)
    grouped = {"group_by": name, "aggregate": "count", "order_by": name, "limit": most}
    return {**grouped, **dict.fromkeys(("columns", "offset", "facets", "count"))}


def fields(state: "State") -> list[Field]:
    """The columns that a chart draws, with all that tell its rows apart."""
    choice = state.choice
    if choice.kind == BY:
        return list(dict.fromkeys([choice.fields[0], *others(state), choice.fields[-1]]))
    named = labels(state) if choice.kind == SCATTER else []
    return list(dict.fromkeys([*named, *choice.fields]))


def labels(state: "State") -> list[Field]:
    """The columns that name a row."""
    return list(state.choices.keys) or state.choices.labels[:1]


def others(state: "State") -> list[Field]:
    """The columns of the key beside the label."""
    return [key for key in state.choices.keys if key != state.choice.fields[0]]


def is_scale(state: "State") -> bool:
    """Whether the label is a scale, such as dates, on which each row has a place."""
    label = state.choice.fields[0]
    return state.choice.kind == BY and label in state.choices.keys and is_ordered(label)


def flights(state: "State") -> tuple[list[str], list[str]]:
    """The columns that count flights, and a longer `aggregate` if the groups lack them."""
    name, text = state.units.flights(state.choice.fields[-1])
    if not name:
        return [], []
    values = aggregates.parts(state.params.get("aggregate", "")) or ["count"]
    if not text or name in state.columns:
        return [name], []
    # The API would refuse more than 20 aggregates, so such a chart has no counts of flights.
    return ([name], [*values, text]) if len(values) < 20 else ([], [])
