"""`where`: conditions as objects, `{City: {in: [...]}, not: {...}, or: [{...}, {...}]}`."""

from functools import lru_cache, reduce
from operator import or_
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from graphql import (
    GraphQLBoolean,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
)

from flights.errors import BadQuery
from flights.mirror import Field, MirroredTable, public
from flights.query import columns, operators
from flights.query.columns import Columns
from flights.query.filters import ColumnFilter, column_operator

from .scalars import LONG, scalar

DEEPEST = 8  # objects within each other
ABOUT = "All that is given has to hold."


def argument(model: type[MirroredTable]) -> GraphQLInputObjectType:
    """The conditions on one table; they nest."""

    def fields() -> dict[str, GraphQLInputField]:
        named = {
            public(f): GraphQLInputField(_operators(f), description=str(f.help_text))
            for f in model.columns()
        }
        either = GraphQLList(GraphQLNonNull(nested))
        return {
            **named,
            "not": GraphQLInputField(nested, description="All the other rows."),
            "or": GraphQLInputField(either, description="At least one of these has to hold."),
        }

    nested = GraphQLInputObjectType(f"{model.__name__}Where", fields, description=ABOUT)
    return nested


def _operators(field: Field) -> GraphQLInputObjectType:
    kind = scalar(field)
    # Any number can be compared with, also one that the column cannot hold.
    return _conditions(LONG if kind is GraphQLInt else kind, tuple(operators.names(field)))


@lru_cache  # a schema has one type of a name
def _conditions(kind: Any, names: tuple[str, ...]) -> GraphQLInputObjectType:
    types: dict[str, Any] = {"isnull": GraphQLBoolean, "in": GraphQLList(GraphQLNonNull(kind))}
    fields = {name: GraphQLInputField(types.get(name, kind)) for name in names}
    return GraphQLInputObjectType(f"{kind.name}Condition", fields, description=ABOUT)


def read(model: type[MirroredTable], argument: dict[str, Any]) -> tuple[Q, ...]:
    """The conditions of an argument, for a `Query`; BadQuery for a value that does not fit."""
    condition = _all(columns.of(model), argument, 1)
    return (condition,) if condition else ()


def _all(known: Columns, conditions: dict[str, Any], depth: int) -> Q:
    """All conditions of an object."""
    if depth > DEEPEST:
        raise BadQuery(f"where: objects are nested deeper than {DEEPEST}.")
    result = Q()
    for name, value in conditions.items():
        if value is None:
            raise BadQuery(f"where: {name} is null. Leave it out, or ask for isnull.")
        if name == "or":
            result &= _any(known, value, depth)
        elif name == "not":
            result &= ~_nested(known, value, depth)
        else:
            for operator, compared in value.items():
                result &= _one(known, f"{name}__{operator}", compared)
    return result


def _any(known: Columns, objects: list[dict[str, Any]], depth: int) -> Q:
    if not objects:
        raise BadQuery("where: or has no condition.")
    return reduce(or_, (_nested(known, each, depth) for each in objects))


def _nested(known: Columns, conditions: dict[str, Any], depth: int) -> Q:
    """An empty condition inside `not` or `or` is almost certainly a mistake."""
    result = _all(known, conditions, depth + 1)
    if not result:
        raise BadQuery("where: an object in not or or has no condition.")
    return result


def _one(known: Columns, name: str, value: Any) -> Q:
    if value is None:
        raise BadQuery(f"where: {name} is null. Leave it out, or ask for isnull.")
    column_filter = ColumnFilter(*column_operator(known, name))
    field: Any = column_filter.field
    try:
        if isinstance(value, list):
            return column_filter.q([field.each.clean(_text(each)) for each in value])
        return column_filter.q(field.clean(_text(value)))
    except ValidationError as error:
        raise BadQuery(f"where: {name}: {' '.join(error.messages)}") from None


def _text(value: Any) -> str:
    """A value as an address writes it, because filters read texts."""
    return repr(value) if isinstance(value, float) else str(value)
