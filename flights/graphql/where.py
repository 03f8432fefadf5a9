"""The argument `where`: conditions as `{City: {in: [...]}, not: {...}, or: [{...}, {...}]}`."""

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

MAX_DEPTH = 8  # levels of nested objects
ABOUT = "Rows match if all of these conditions hold."


def argument(model: type[MirroredTable]) -> GraphQLInputObjectType:
    """Make the input type of a table's conditions, which can contain each other."""

    def fields() -> dict[str, GraphQLInputField]:
        columns = {
            public(f): GraphQLInputField(_condition_type(f), description=str(f.help_text))
            for f in model.columns()
        }
        alternatives = GraphQLList(GraphQLNonNull(nested))
        return {
            **columns,
            "not": GraphQLInputField(nested, description="Rows that do not match this."),
            "or": GraphQLInputField(alternatives, description="Rows that match any of these."),
        }

    nested = GraphQLInputObjectType(f"{model.__name__}Where", fields, description=ABOUT)
    return nested


def _condition_type(field: Field) -> GraphQLInputObjectType:
    type_ = scalar(field)
    # A condition can compare with any number, even one that is too large for the column.
    return _operators_type(LONG if type_ is GraphQLInt else type_, tuple(operators.names(field)))


@lru_cache  # the names of a schema's types are unique, so columns share their condition types
def _operators_type(value_type: Any, names: tuple[str, ...]) -> GraphQLInputObjectType:
    types: dict[str, Any] = {
        "isnull": GraphQLBoolean,
        "in": GraphQLList(GraphQLNonNull(value_type)),
    }
    fields = {name: GraphQLInputField(types.get(name, value_type)) for name in names}
    return GraphQLInputObjectType(f"{value_type.name}Condition", fields, description=ABOUT)


def read(model: type[MirroredTable], argument: dict[str, Any]) -> tuple[Q, ...]:
    """Read the argument as conditions of a `Query`; BadQuery if a value does not fit its column."""
    condition = _all(columns.of(model), argument, 1)
    return (condition,) if condition else ()


def _all(known: Columns, conditions: dict[str, Any], depth: int) -> Q:
    """Combine all conditions of an object with AND."""
    if depth > MAX_DEPTH:
        raise BadQuery(f"where: objects are nested deeper than {MAX_DEPTH}.")
    result = Q()
    for name, value in conditions.items():
        if value is None:
            raise BadQuery(f"where: {name} is null. Leave it out, or use isnull.")
        if name == "or":
            result &= _any(known, value, depth)
        elif name == "not":
            result &= ~_nested(known, value, depth)
        else:
            for operator, operand in value.items():
                result &= _condition(known, f"{name}__{operator}", operand)
    return result


def _any(known: Columns, objects: list[dict[str, Any]], depth: int) -> Q:
    """Combine several objects with OR."""
    if not objects:
        raise BadQuery("where: 'or' has no condition.")
    return reduce(or_, (_nested(known, each, depth) for each in objects))


def _nested(known: Columns, conditions: dict[str, Any], depth: int) -> Q:
    """An empty condition inside `not` or `or` is almost certainly a mistake."""
    result = _all(known, conditions, depth + 1)
    if not result:
        raise BadQuery("where: an object in 'not' or 'or' has no condition.")
    return result


def _condition(known: Columns, name: str, value: Any) -> Q:
    """Read a condition from its name as in REST (`City__in`) and its value."""
    if value is None:
        raise BadQuery(f"where: {name} is null. Leave it out, or use isnull.")
    column_filter = ColumnFilter(*column_operator(known, name))
    field: Any = column_filter.field
    try:
        if isinstance(value, list):
            return column_filter.q([field.each.clean(_text(each)) for each in value])
        return column_filter.q(field.clean(_text(value)))
    except ValidationError as error:
        raise BadQuery(f"where: {name}: {' '.join(error.messages)}") from None


def _text(value: Any) -> str:
    """Write a value as in a URL, because filters read texts."""
    return repr(value) if isinstance(value, float) else str(value)
