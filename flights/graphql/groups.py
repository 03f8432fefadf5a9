"""The field of each table's groups; only the selected measures are computed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
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
from flights.query.grouping import NUMBERS
from flights.query.query import Query

from . import table_result, where
from .operation import field_names, fields_named, selected_fields, value_count
from .scalars import LONG, finite_float, scalar
from .table_result import TableResult

type Model = type[MirroredTable]
type ScalarOf = Callable[[Field], GraphQLScalarType]

ABOUT = (
    "Groups of rows with equal values in the columns selected in `by`; without `by`, all rows are"
    " one group. `order_by` and `having` use the names of selected values: a column, `count`,"
    " `avg_Column`, `p90_Column` and so on."
)
PERCENT = GraphQLArgument(GraphQLNonNull(GraphQLInt), description="The percentile: 1 to 99.")


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
    fields = {
        "by": GraphQLField(
            GraphQLNonNull(columns_type("By", model.columns(), scalar)), resolve=_resolve_by
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
    }
    if not numbers:
        return fields
    floats = columns_type("Numbers", numbers, lambda field: GraphQLFloat)
    return {
        **fields,
        "sum": _measure(columns_type("Sum", numbers, _sum_type)),
        "avg": _measure(floats),
        "median": _measure(floats),
        "percentile": _measure(floats, p=PERCENT),
    }


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
    prefix = f"{info.field_name}_" if p is None else f"p{p}_"
    return {n.removeprefix(prefix): value for n, value in row.items() if n.startswith(prefix)}


def _resolve(model: Model, _: Any, info: Any, **arguments: Any) -> TableResult:
    rows_nodes = fields_named(info, info.field_nodes, "rows")
    group_nodes = list(selected_fields(info, rows_nodes))
    by = field_names(info, [node for node in group_nodes if node.name.value == "by"])
    measures = ",".join(_aggregates(info, group_nodes)) or "count"
    grouping = {"group_by": ",".join(by), "aggregate": measures}
    conditions = where.read(model, arguments.pop("where", None) or {})
    query = Query.read(model, {**table_result.params(arguments), **grouping})
    query = replace(query, where=conditions)
    version = info.context.version(model)
    return TableResult(info.context, query, version, value_count(info, rows_nodes))


def _aggregates(info: Any, group_nodes: list[FieldNode]) -> Iterator[str]:
    """Yield selected measures as `aggregate=` names them: `count`, `avg:Delay`, `p90:Delay`."""
    for node in group_nodes:
        name = node.name.value
        if name == "count":
            yield name
        elif name != "by" and not name.startswith("__"):
            field = info.return_type.fields["rows"].type.of_type.of_type.of_type.fields[name]
            arguments = get_argument_values(field, node, info.variable_values)
            function = f"p{arguments['p']}" if arguments else name
            yield from (f"{function}:{column}" for column in field_names(info, [node]))
