"""The field of each table's groups; only the selected measures are computed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from django.db import models
from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLFloat,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
    get_argument_values,
)

from flights.api.schema import MEANINGS
from flights.mirror import Field, MirroredTable, public
from flights.query import aggregates, columns, periods
from flights.query.measures import NUMBERS
from flights.query.query import Query

from . import table_result, where
from .operation import field_names, fields_named, selected_fields, value_count
from .scalars import LONG, finite_float, scalar
from .table_result import TableResult

type Model = type[MirroredTable]
type ScalarOf = Callable[[Field], GraphQLScalarType]

ABOUT = (
    "Groups of rows with equal values in the columns selected in `by`; without `by`, all rows are"
    " one group. `order_by` and `having` use the names of selected values as in REST: a column,"
    " `count`, `avg_Column`, `p90_Column`, `disc90_Column`, `percent_A_of_B` and so on."
)
FUNCTIONS = {"percentile": "p", "percentile_disc": "disc"}  # their names in REST, without p
P = GraphQLArgument(GraphQLNonNull(GraphQLInt), description="The percentile: 1 to 99.")
# The argument of these functions: what REST has after the colon.
PERCENTAGES = {
    "percent": "Two columns of numbers: `A/B` is the sum of A in percent of the sum of B.",
    "share": "A condition, such as `Column__gte:30`; a value with a comma is in double quotes.",
}
ABOUT_PERCENTAGES = "With two decimals; null where the denominator is 0."


def field(model: Model, where_type: GraphQLInputObjectType) -> GraphQLField:
    """Make the field `<table>_groups`; `where_type` is the type of its conditions."""
    group = GraphQLObjectType(f"{model.__name__}Group", _measures(model))
    page = GraphQLObjectType(f"{model.__name__}Groups", table_result.fields(group))
    having = GraphQLArgument(GraphQLString, description=MEANINGS["having"])
    return GraphQLField(
        page,
        table_result.arguments(where_type, having=having),
        description=ABOUT,
        resolve=partial(_resolve, model),
    )


def _measures(model: Model) -> dict[str, GraphQLField]:
    """The fields of a group. Its row is a dict with REST's names: `count`, `avg_Delay`."""
    numbers = [f for f in model.columns() if isinstance(f, NUMBERS)]
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
    if not numbers:
        return fields
    floats = columns_type("Numbers", numbers, lambda field: GraphQLFloat)
    return {
        **fields,
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
    prefix = f"{FUNCTIONS.get(info.field_name, info.field_name)}{p or ''}_"
    return {n.removeprefix(prefix): value for n, value in row.items() if n.startswith(prefix)}


def _resolve_percentage(model: Model, row: dict[str, Any], info: Any, of: str) -> Any:
    return row[_percentage_name(model, f"{info.field_name}:{of}")]


@lru_cache(1_024)  # the name is the same in every row
def _percentage_name(model: Model, text: str) -> str:
    return aggregates.name(columns.of(model), text)


def _resolve(model: Model, _: Any, info: Any, **arguments: Any) -> TableResult:
    rows_nodes = fields_named(info, info.field_nodes, "rows")
    group_nodes = list(selected_fields(info, rows_nodes))
    by = field_names(info, [node for node in group_nodes if node.name.value == "by"])
    named = {public(key.field): text for text, key in periods.of(columns.of(model)).items()}
    measures = ",".join(_aggregates(model, info, group_nodes)) or "count"
    grouping = {"group_by": ",".join(named.get(n, n) for n in by), "aggregate": measures}
    conditions = where.read(model, arguments.pop("where", None) or {})
    query = Query.read(model, {**table_result.params(arguments), **grouping})
    query = replace(query, where=conditions)
    version = info.context.version(model)
    return TableResult(info.context, query, version, value_count(info, rows_nodes))


def _aggregates(model: Model, info: Any, group_nodes: list[FieldNode]) -> Iterator[str]:
    """Yield selected measures as `aggregate=` names them: `count`, `avg:Delay`, `p90:Delay`."""
    for node in group_nodes:
        name = node.name.value
        if name == "count":
            yield name
        elif name != "by" and not name.startswith("__"):
            field = info.return_type.fields["rows"].type.of_type.of_type.of_type.fields[name]
            arguments = get_argument_values(field, node, info.variable_values)
            yield from _measures_of(model, info, node, arguments)


def _measures_of(
    model: Model, info: Any, node: FieldNode, arguments: dict[str, Any]
) -> Iterator[str]:
    name = node.name.value
    if name in PERCENTAGES:
        text = f"{name}:{arguments['of']}"
        _percentage_name(model, text)  # refuses more than one value
        yield text
    else:
        function = f"{FUNCTIONS.get(name, name)}{arguments.get('p', '')}"
        yield from (f"{function}:{column}" for column in field_names(info, [node]))
