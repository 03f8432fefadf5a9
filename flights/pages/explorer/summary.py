"""The builder of summaries: groups and values to compute, added by the form, removed by a click."""

import re
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from flights.errors import BadQuery
from flights.mirror import public
from flights.pages.formatting import kind, title
from flights.query import columns, operators, periods
from flights.query.filters import column_operator
from flights.query.operators import OPERATORS

from .state import State

# The functions that the form offers, with their labels before the name of a column.
FUNCTIONS = {
    "count": "Number of rows",
    "avg": "Average of",
    "median": "Median of",
    "disc90": "90 % are at most, of",
    "sum": "Sum of",
    "min": "Smallest",
    "max": "Largest",
    "count_distinct": "Different values of",
}
CONDITIONS = {name: OPERATORS[name].label for name in ("gte", "gt", "lte", "lt", "exact")}
PERCENTILE = re.compile(r"(?:p|disc)(\d+)")


@dataclass(frozen=True)
class Part:
    """A group or a value of the summary."""

    text: str
    link: str | None  # the address without it; None for the count that needs no parameter


def context(state: State) -> dict[str, Any]:
    """For the template."""
    fields = columns.of(state.model).fields
    return {
        "groups": _groups(state),
        "measures": _measures(state),
        "group_choices": _group_choices(state),
        "functions": {**FUNCTIONS, "count": f"Number of {state.rows}"},
        "numbers": [(public(f), title(f)) for f in fields if kind(f) == "number"],
        "every_column": [(public(f), title(f)) for f in fields],
        "conditions": CONDITIONS,
        "quick": _quick(state),
    }


def _texts(state: State) -> list[str]:
    parts = [part.strip() for part in state.params.get("group_by", "").split(",")]
    return list(dict.fromkeys(filter(None, parts))) if state.grouping else []


def _groups(state: State) -> list[Part]:
    texts = _texts(state)
    return [Part(group_title(text), _without(state, "group_by", texts, text)) for text in texts]


def _measures(state: State) -> list[Part]:
    texts = state.measures
    written = bool(state.params.get("aggregate", "").strip())
    return [
        Part(
            measure_title(state, text),
            _without(state, "aggregate", texts, text) if written else None,
        )
        for text in texts
    ]


def _without(state: State, name: str, texts: list[str], text: str) -> str:
    left = ",".join(each for each in texts if each != text)
    return state.link({name: left or None, "offset": None})


def _group_choices(state: State) -> list[tuple[str, str]]:
    table = columns.of(state.model)
    taken = _texts(state)
    texts = [*periods.of(table), *table.names]
    return [(text, group_title(text)) for text in texts if text not in taken]


def _quick(state: State) -> list[tuple[str, str]]:
    """Groups that are one click away: columns with few values, and months."""
    facets = [public(f) for f in state.model.columns() if f.name in state.model.mirror.facets]
    months = [text for text in periods.of(columns.of(state.model)) if text.startswith("month:")]
    taken = _texts(state)
    return [
        (group_title(text), state.link({"group_by": ",".join([*taken, text]), "offset": None}))
        for text in [*facets, *months]
        if text not in taken
    ]


def group_title(text: str) -> str:
    """`Airline Name`, `Month of Flight Date`; `Month` of a column that is named so."""
    period, _, name = text.rpartition(":")
    own = period.lower() in ("", name.lower())
    return _words(name if own else f"{period.capitalize()} of {name}")


def measure_title(state: State, text: str) -> str:
    """`Average of Arrival Delay Minutes`, `% with Arrival Delay Minutes ≥ 30`."""
    function, _, argument = text.partition(":")
    if function == "share":
        return f"% of {state.rows} with {_condition(state, argument)}"
    if function == "percent":
        part, _, whole = argument.partition("/")
        return _words(f"{part} in % of {whole}")
    if not argument:
        return f"Number of {state.rows}"
    percentile = PERCENTILE.fullmatch(function)
    label = (
        f"{percentile[1]} % are at most, of" if percentile else FUNCTIONS.get(function, function)
    )
    return _words(f"{label} {argument}")


def _condition(state: State, text: str) -> str:
    name, _, value = text.partition(":")
    try:
        field, operator = column_operator(columns.of(state.model), name)
    except BadQuery:
        return text
    plain, negated = operators.split(operator)
    return f"{title(field)} {'not: ' if negated else ''}{OPERATORS[plain].label} {value}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def added(state: State, form: QueryDict) -> dict[str, str]:
    """The parameters `group_by` and `aggregate` with what the form adds to them."""
    groups, measures = _texts(state), _new_measures(form)
    if group := form.get("add:group"):
        groups.append(str(group))
    changed = {"group_by": ",".join(dict.fromkeys(groups))} if group else {}
    if measures:
        changed["aggregate"] = ",".join(dict.fromkeys([*(state.measures or ["count"]), *measures]))
    return changed


def _new_measures(form: QueryDict) -> list[str]:
    def text(name: str) -> str:
        return str(form.get(f"add:{name}", ""))

    measures = []
    if function := text("function"):
        measures.append(function if function == "count" else f"{function}:{text('column')}")
    if part := text("part"):
        measures.append(f"percent:{part}/{text('whole')}")
    if name := text("share"):
        measures.append(f"share:{name}__{text('operator') or 'gte'}:{_quoted(text('value'))}")
    return measures


def _quoted(value: str) -> str:
    """A value with a comma in double quotes, as `aggregate` needs it."""
    plain = "," not in value and '"' not in value
    return value if plain else '"{}"'.format(value.replace('"', '""'))
