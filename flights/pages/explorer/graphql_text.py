"""The GraphQL operation that reads the same rows as a state of the explorer."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from flights.errors import BadQuery
from flights.mirror import GROUP, Field, MirroredTable, public
from flights.query import aggregates, columns, operators, periods
from flights.query.filters import ColumnFilter, column_operator, split
from flights.query.measures import NUMBERS

from .state import State

PERCENTILES = {"p": "percentile", "disc": "percentile_disc"}
ARGUMENTS = ("order_by", "having")
NUMERIC = ("limit", "offset")
GROUPED = {"group_by", "aggregate"}


def graphql(state: State) -> str:
    """An operation; or a comment if GraphQL cannot express the state."""
    params = state.api_params
    try:
        where = _where(state.model, state.filters)
        selected = _groups(state, params) if params.keys() & GROUPED else _rows(state, params)
    except (BadQuery, ValidationError) as error:
        return f"# GraphQL cannot express this: {error}\n"
    name = f"{state.table}_groups" if params.keys() & GROUPED else state.table
    arguments = [*([f"where: {where}"] if where else []), *_arguments(params)]
    inside = f"({', '.join(arguments)})" if arguments else ""
    body = "\n".join(f"      {line}" for line in selected)
    return f"{{\n  {name}{inside} {{\n    rows {{\n{body}\n    }}\n  }}\n}}\n"


def _arguments(params: dict[str, str]) -> Iterator[str]:
    for name in ARGUMENTS:
        if params.get(name):
            yield f"{name}: {json.dumps(params[name])}"
    for name in NUMERIC:
        if params.get(name):
            yield f"{name}: {int(params[name])}"


def _rows(state: State, params: dict[str, str]) -> list[str]:
    return [public(f) for f in columns.of(state.model).chosen(params.get("columns", ""))]


def _groups(state: State, params: dict[str, str]) -> list[str]:
    """The columns of the groups, and the values; an alias tells two of a function apart."""
    table = columns.of(state.model)
    keys = [public(key.field) for key in periods.read(table, params.get("group_by", ""))]
    texts = list(dict.fromkeys(aggregates.parts(params.get("aggregate", "")) or ["count"]))
    lines = [f"by {{ {' '.join(keys)} }}"] if keys else []
    return [*lines, *(_measure(number, text) for number, text in enumerate(texts, 1))]


def _measure(number: int, text: str) -> str:
    function, _, argument = (part.strip() for part in text.partition(":"))
    function = function.lower()
    if function == "count":
        if argument:
            instead = f"the filter {argument}__isnull=false and count, in a query of its own"
            raise BadQuery(f"{text}. Use {instead}.")
        return "count"
    if function in ("percent", "share"):
        return f"value_{number}: {function}(of: {json.dumps(argument)})"
    for short, name in PERCENTILES.items():
        if function.removeprefix(short).isdigit():
            percent = int(function.removeprefix(short))
            return f"value_{number}: {name}(p: {percent}) {{ {argument} }}"
    return f"value_{number}: {function} {{ {argument} }}"


def _where(model: type[MirroredTable], filters: dict[str, str]) -> str:
    """The conditions as the argument `where`."""
    together: dict[str, dict[str, str]] = {}  # {"Delay": {"gte": "30", "lt": "60"}}
    against: list[str] = []  # objects of which none may hold
    for name, value in filters.items():
        if GROUP.fullmatch(name):
            either = split(name, value, columns.of(model))
            against.append(f"{{not: {{or: [{', '.join(_alone(model, *e) for e in either)}]}}}}")
            continue
        field, operator, literal = _condition(model, name, value)
        plain, negated = operators.split(operator)
        conditions = together.setdefault(public(field), {})
        if negated or plain in conditions:
            object_ = f"{{{public(field)}: {{{plain}: {literal}}}}}"
            against.append(object_ if negated else f"{{not: {object_}}}")
        else:
            conditions[plain] = literal
    parts = [f"{name}: {_object(pairs)}" for name, pairs in together.items() if pairs]
    if against:
        parts.append(f"not: {{or: [{', '.join(against)}]}}")
    return f"{{{', '.join(parts)}}}" if parts else ""


def _alone(model: type[MirroredTable], name: str, value: str) -> str:
    return _where(model, {name: value})


def _object(pairs: dict[str, str]) -> str:
    return f"{{{', '.join(f'{name}: {value}' for name, value in pairs.items())}}}"


def _condition(model: type[MirroredTable], name: str, text: str) -> tuple[Field, str, str]:
    field, operator = column_operator(columns.of(model), name)
    value = ColumnFilter(field, operator).field.clean(text)
    return field, operator, _literal(field, value)


def _literal(field: Field, value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_literal(field, each) for each in value)}]"
    if isinstance(value, bool) or (isinstance(field, NUMBERS) and isinstance(value, int | float)):
        return json.dumps(value)
    if isinstance(field, models.TextField):
        return json.dumps(value)
    return json.dumps(str(value))
