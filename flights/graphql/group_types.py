"""The type of a table's groups: the columns that group rows, and the values of each group.

A group is a dict with REST's names: `count`, `avg_Delay`, `share_Delay_gte_30`.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

from django.db import models
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLFloat,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
)

from flights.mirror import Field, MirroredTable, public
from flights.query import aggregates, columns, periods
from flights.query.measures import NUMBERS

from .scalars import LONG, finite_float, scalar

type Model = type[MirroredTable]
type ScalarOf = Callable[[Field], GraphQLScalarType]

PERCENTILES = {"percentile": "p", "percentile_disc": "disc"}  # their names in REST, without p
# The argument of these functions: what REST has after the colon.
PERCENTAGES = {
    "percent": "Two columns of numbers: `A/B` is the sum of A in percent of the sum of B.",
    "share": "A condition, such as `Column__gte:30`; a value with a comma is in double quotes.",
}
ABOUT_PERCENTAGES = "With two decimals; null where the denominator is 0."
P = GraphQLArgument(GraphQLNonNull(GraphQLInt), description="The percentile: 1 to 99.")


def group(model: Model) -> GraphQLObjectType:
    """Make the type of a table's groups."""
    return GraphQLObjectType(f"{model.__name__}Group", _measures(model))


@lru_cache(1_024)  # the name is the same in every row
def percentage_name(model: Model, text: str) -> str:
    """The name in REST of a percentage; BadQuery if the text is not exactly one value."""
    return aggregates.name(columns.of(model), text)


def _measures(model: Model) -> dict[str, GraphQLField]:
    columns_type = partial(_columns_type, model)
    days = [key.field for key in periods.of(columns.of(model)).values()]
    fields = {
        "by": GraphQLField(
            GraphQLNonNull(columns_type("By", [*model.columns(), *days], scalar)),
            resolve=_resolve_by,
        ),
        "count": GraphQLField(
            GraphQLNonNull(LONG),
            description="Number of rows of the group.",
            resolve=_resolve_count,
        ),
        "count_distinct": _measure(
            columns_type("CountDistinct", model.columns(), lambda field: LONG)
        ),
        "min": _measure(columns_type("Min", model.columns(), scalar)),
        "max": _measure(columns_type("Max", model.columns(), scalar)),
        "share": _percentage(model, "share"),
    }
    numbers = [f for f in model.columns() if isinstance(f, NUMBERS)]
    return fields | (_measures_of_numbers(model, numbers) if numbers else {})


def _measures_of_numbers(model: Model, numbers: Sequence[Field]) -> dict[str, GraphQLField]:
    columns_type = partial(_columns_type, model)
    floats = columns_type("Numbers", numbers, lambda field: GraphQLFloat)
    return {
        "sum": _measure(columns_type("Sum", numbers, _sum_type)),
        "avg": _measure(floats),
        "median": _measure(floats),
        "percentile": _measure(floats, p=P),
        "percentile_disc": _measure(columns_type("Disc", numbers, scalar), p=P),
        "percent": _percentage(model, "percent"),
    }


def _percentage(model: Model, function: str) -> GraphQLField:
    of = GraphQLArgument(GraphQLNonNull(GraphQLString), description=PERCENTAGES[function])
    resolve = partial(_resolve_percentage, model)
    return GraphQLField(GraphQLFloat, {"of": of}, resolve=resolve, description=ABOUT_PERCENTAGES)


def _columns_type(
    model: Model, suffix: str, fields: Iterable[Field], scalar_of: ScalarOf
) -> GraphQLObjectType:
    """Make an object type with one field for each column."""
    return GraphQLObjectType(
        f"{model.__name__}{suffix}",
        {
            public(f): GraphQLField(
                scalar_of(f),
                description=str(f.help_text),
                resolve=finite_float(public(f)) if scalar_of(f) is GraphQLFloat else None,
            )
            for f in fields
        },
    )


def _measure(type_: GraphQLObjectType, **arguments: GraphQLArgument) -> GraphQLField:
    return GraphQLField(GraphQLNonNull(type_), arguments, resolve=_resolve_measure)


def _sum_type(field: Field) -> GraphQLScalarType:
    return LONG if isinstance(field, models.IntegerField) else GraphQLFloat


def _resolve_by(row: dict[str, Any], info: Any) -> dict[str, Any]:
    """Return the row itself, as it has the grouping columns under their own names."""
    return row


def _resolve_count(row: dict[str, Any], info: Any) -> Any:
    return row["count"]


def _resolve_measure(row: dict[str, Any], info: Any, p: int | None = None) -> dict[str, Any]:
    """Return one function's values by column: `avg_Delay` becomes `Delay`."""
    prefix = f"{PERCENTILES.get(info.field_name, info.field_name)}{p or ''}_"
    return {n.removeprefix(prefix): value for n, value in row.items() if n.startswith(prefix)}


def _resolve_percentage(model: Model, row: dict[str, Any], info: Any, of: str) -> Any:
    return row[percentage_name(model, f"{info.field_name}:{of}")]
