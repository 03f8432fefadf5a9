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
from flights.query import columns
from flights.query.columns import Columns
from flights.query.filters import Condition, condition, lookups

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
    return _conditions(LONG if kind is GraphQLInt else kind, tuple(lookups(field)))


@lru_cache  # a schema has one type of a name
def _conditions(kind: Any, lookups: tuple[str, ...]) -> GraphQLInputObjectType:
    types: dict[str, Any] = {"isnull": GraphQLBoolean, "in": GraphQLList(GraphQLNonNull(kind))}
    fields = {name: GraphQLInputField(types.get(name, kind)) for name in lookups}
    return GraphQLInputObjectType(f"{kind.name}Condition", fields, description=ABOUT)


def read(model: type[MirroredTable], given: dict[str, Any]) -> Q:
    """The rows that an argument asks for; BadQuery for a value that does not fit its column."""
    return _all(columns.of(model), given, 1)


def _all(among: Columns, given: dict[str, Any], depth: int) -> Q:
    if depth > DEEPEST:
        raise BadQuery(f"where: objects are nested deeper than {DEEPEST}.")
    found = Q()
    for name, value in given.items():
        if value is None:
            raise BadQuery(f"where: {name} is null. Leave it out, or ask for isnull.")
        if name == "or":
            found &= _any(among, value, depth)
        elif name == "not":
            found &= ~_some(among, value, depth)
        else:
            for lookup, compared in value.items():
                found &= _one(among, f"{name}__{lookup}", compared)
    return found


def _any(among: Columns, given: list[dict[str, Any]], depth: int) -> Q:
    if not given:
        raise BadQuery("where: or has no condition.")
    return reduce(or_, (_some(among, each, depth) for each in given))


def _some(among: Columns, given: dict[str, Any], depth: int) -> Q:
    """To negate nothing, or to let nothing be enough, is rather a mistake."""
    found = _all(among, given, depth + 1)
    if not found:
        raise BadQuery("where: an object in not or or has no condition.")
    return found


def _one(among: Columns, name: str, value: Any) -> Q:
    if value is None:
        raise BadQuery(f"where: {name} is null. Leave it out, or ask for isnull.")
    asked = Condition(*condition(among, name))
    field: Any = asked.field
    try:
        if isinstance(value, list):
            return asked.q([field.each.clean(_written(each)) for each in value])
        return asked.q(field.clean(_written(value)))
    except ValidationError as error:
        raise BadQuery(f"where: {name}: {' '.join(error.messages)}") from None


def _written(value: Any) -> str:
    """As it would be in an address, which is what the filters read."""
    return repr(value) if isinstance(value, float) else str(value)
