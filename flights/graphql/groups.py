"""The field of each table's groups; only the selected values are computed."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLString,
    get_argument_values,
)

from flights.api.schema import MEANINGS
from flights.mirror import public
from flights.query import columns, periods
from flights.query.query import Query

from . import group_types, table_result, where
from .group_types import PERCENTAGES, PERCENTILES, Model, percentage_name
from .operation import field_names, fields_named, selected_fields, value_count
from .table_result import TableResult

ABOUT = (
    "Groups of rows with equal values in the columns selected in `by`; without `by`, all rows are"
    " one group. `order_by` and `having` use the names of selected values as in REST: a column,"
    " `count`, `avg_Column`, `p90_Column`, `disc90_Column`, `percent_A_of_B` and so on."
)


def field(model: Model, where_type: GraphQLInputObjectType) -> GraphQLField:
    """Make the field `<table>_groups`; `where_type` is the type of its conditions."""
    group = group_types.group(model)
    page = GraphQLObjectType(f"{model.__name__}Groups", table_result.fields(group))
    having = GraphQLArgument(GraphQLString, description=MEANINGS["having"])
    return GraphQLField(
        page,
        table_result.arguments(where_type, having=having),
        description=ABOUT,
        resolve=partial(_resolve, model),
    )


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
        percentage_name(model, text)  # refuses more than one value
        yield text
    else:
        function = f"{PERCENTILES.get(name, name)}{arguments.get('p', '')}"
        yield from (f"{function}:{column}" for column in field_names(info, [node]))
