"""The controls of a chart: links that choose its kind, and lists that choose its columns."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from flights.errors import BadQuery
from flights.mirror import public
from flights.pages.formatting import title
from flights.query import columns, periods

from .chart_choice import BY, GRID, SLOTS, TITLES
from .state import State

WEEK_BY_HOUR = ("Day_of_Week", "Scheduled_Departure_Hour")


@dataclass(frozen=True)
class Kind:
    title: str
    link: str
    is_on: bool


@dataclass(frozen=True)
class Slot:
    name: str
    title: str
    options: list[tuple[str, str, bool]]  # name, title, whether it is chosen


def context(state: State) -> dict[str, Any]:
    """The template's context."""
    if state.view != "chart":
        return {"kinds": [], "slots": []}
    try:
        choice = state.choice
    except BadQuery:
        return {"kinds": [], "slots": []}  # the query reports the error
    slots = zip(SLOTS[choice.kind], state.choices.slots[choice.kind], choice.fields, strict=True)
    return {
        "kind": choice.kind,
        "kinds": [
            *(_kind(state, name, choice.kind) for name in state.choices.slots),
            *_summaries(state),
        ],
        "slots": [
            Slot(
                f"chart:{number}",
                name,
                [(public(f), title(f), f == chosen) for f in fields],
            )
            for number, (name, fields, chosen) in enumerate(slots)
        ],
    }


def _kind(state: State, name: str, now: str) -> Kind:
    link = state.link({"chart": str(state.choices.default(name)), "view": "chart", "offset": None})
    return Kind(TITLES[name], link, name == now)


def _summaries(state: State) -> list[Kind]:
    """Links that group single rows and show the chart: over time, and day by hour."""
    if state.grouping or state.model.mirror.key:
        return []
    table = columns.of(state.model)
    months = [text for text in periods.of(table) if text.startswith("month:")]
    value = public(state.choice.fields[-1])
    groups = {"Over time": (BY, months[:1]), "Day by hour": (GRID, list(WEEK_BY_HOUR))}
    return [
        Kind(title, _summary(state, kind, keys, value), is_on=False)
        for title, (kind, keys) in groups.items()
        if keys and all(":" in key or key in table for key in keys)
    ]


def _summary(state: State, kind: str, keys: list[str], value: str) -> str:
    names = [*(key.replace(":", "_") for key in keys), f"avg_{value}"]
    chart = f"{'' if kind == BY else f'{kind}:'}{','.join(names)}"
    changes = {"group_by": ",".join(keys), "aggregate": f"count,avg:{value}", "chart": chart}
    return state.link({**changes, "view": "chart", "offset": None})


def submitted(form: QueryDict) -> str:
    """The parameter `chart` of a submitted form; "" if the form did not contain its lists."""
    kind = str(form.get("chart:kind", ""))
    names = [str(form.get(f"chart:{number}", "")) for number in range(len(SLOTS.get(kind, ())))]
    if not names or not all(names):
        return ""
    text = ",".join(names)
    return text if kind == BY else f"{kind}:{text}"
