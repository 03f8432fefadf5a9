"""Each table's groups: what is selected of a group is what is computed of it."""

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

from . import answers, where
from .answers import Answer
from .operation import named, names, selected, size
from .scalars import LONG, number, scalar

type Model = type[MirroredTable]
type Kind = Callable[[Field], GraphQLScalarType]

NAMES = (
    "`order_by` and `having` name what is selected: a column, or `count`, `avg_Column`,"
    " `p90_Column` and so on."
)
PERCENT = GraphQLArgument(GraphQLNonNull(GraphQLInt), description="1 to 99.")


def field(model: Model, wanted: GraphQLInputObjectType) -> GraphQLField:
    group = GraphQLObjectType(f"{model.__name__}Group", _measures(model))
    page = GraphQLObjectType(f"{model.__name__}Groups", answers.fields(group))
    having = GraphQLArgument(GraphQLString, description=MEANINGS["having"])
    return GraphQLField(
        page,
        answers.arguments(wanted, having=having),
        description=f"Groups of equal values of the columns in `by`; all rows without it. {NAMES}",
        resolve=partial(_resolve, model),
    )


def _measures(model: Model) -> dict[str, GraphQLField]:
    """What a group can be asked for; a row is a dict keyed as the rest of the API names it."""
    numbers = [f for f in model.columns() if isinstance(f, NUMBERS)]
    of = partial(_columns, model)
    fields = {
        "by": GraphQLField(GraphQLNonNull(of("By", model.columns(), scalar)), resolve=_itself),
        "count": GraphQLField(GraphQLNonNull(LONG), description="Its rows.", resolve=_count),
        "count_distinct": _measure(of("CountDistinct", model.columns(), lambda field: LONG)),
        "min": _measure(of("Min", model.columns(), scalar)),
        "max": _measure(of("Max", model.columns(), scalar)),
    }
    if not numbers:
        return fields
    floats = of("Numbers", numbers, lambda field: GraphQLFloat)
    return {
        **fields,
        "sum": _measure(of("Sum", numbers, _sum)),
        "avg": _measure(floats),
        "median": _measure(floats),
        "percentile": _measure(floats, p=PERCENT),
    }


def _columns(model: Model, title: str, fields: Iterable[Field], kind: Kind) -> GraphQLObjectType:
    return GraphQLObjectType(
        f"{model.__name__}{title}",
        {
            public(f): GraphQLField(
                kind(f),
                description=str(f.help_text),
                resolve=number(public(f)) if kind(f) is GraphQLFloat else None,
            )
            for f in fields
        },
    )


def _measure(of: GraphQLObjectType, **arguments: GraphQLArgument) -> GraphQLField:
    return GraphQLField(GraphQLNonNull(of), arguments, resolve=_measured)


def _sum(field: Field) -> GraphQLScalarType:
    return LONG if isinstance(field, models.IntegerField) else GraphQLFloat


def _itself(row: dict[str, Any], info: Any) -> dict[str, Any]:
    return row


def _count(row: dict[str, Any], info: Any) -> Any:
    return row["count"]


def _measured(row: dict[str, Any], info: Any, p: int | None = None) -> dict[str, Any]:
    """The values of one function by column: `avg_Delay` as `Delay`."""
    prefix = f"{info.field_name}_" if p is None else f"p{p}_"
    return {n.removeprefix(prefix): value for n, value in row.items() if n.startswith(prefix)}


def _resolve(model: Model, _: Any, info: Any, **arguments: Any) -> Answer:
    groups_of = named(info, info.field_nodes, "rows")
    groups = list(selected(info, groups_of))
    by = names(info, [node for node in groups if node.name.value == "by"])
    measures = ",".join(_aggregates(info, groups)) or "count"
    grouping = {"group_by": ",".join(by), "aggregate": measures}
    conditions = where.read(model, arguments.pop("where", None) or {})
    query = Query.read(model, {**answers.params(arguments), **grouping})
    query = replace(query, where=conditions)
    return Answer(info.context, query, info.context.version(model), size(info, groups_of))


def _aggregates(info: Any, groups: list[FieldNode]) -> Iterator[str]:
    """`count`, `avg:Arrival_Delay_Minutes`, `p90:...`, as `aggregate=` has them."""
    for node in groups:
        name = node.name.value
        if name == "count":
            yield name
        elif name != "by" and not name.startswith("__"):
            field = info.return_type.fields["rows"].type.of_type.of_type.of_type.fields[name]
            arguments = get_argument_values(field, node, info.variable_values)
            function = f"p{arguments['p']}" if arguments else name
            yield from (f"{function}:{column}" for column in names(info, [node]))
