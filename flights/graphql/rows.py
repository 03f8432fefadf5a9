"""Each table's field: a page of its rows, of which only the selected columns are read."""

from dataclasses import replace
from functools import partial
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
)

from flights.api.schema import MEANINGS
from flights.mirror import MirroredTable, public
from flights.query import counting
from flights.query.query import Query

from . import answers, where
from .answers import Answer
from .operation import named, names, size
from .scalars import ANY, LONG, column

CURSOR = (
    "Pages by the last row's values, of one version whatever is published meanwhile: empty to"
    " begin, then as `next` says."
)
FACET_VALUE = GraphQLObjectType(
    "FacetValue",
    {"value": GraphQLField(ANY), "rows": GraphQLField(GraphQLNonNull(LONG))},
    description="A value of a column, and how many rows of the query have it.",
)
FACET = GraphQLObjectType(
    "Facet",
    {
        "column": GraphQLField(GraphQLNonNull(GraphQLString)),
        "values": GraphQLField(GraphQLNonNull(GraphQLList(GraphQLNonNull(FACET_VALUE)))),
    },
    description=f"The {counting.FACET_VALUES} most frequent values of a column.",
)


def field(model: type[MirroredTable], wanted: GraphQLInputObjectType) -> GraphQLField:
    row = GraphQLObjectType(
        model.__name__,
        {public(f): column(model, f) for f in model.columns()},
        description=model.__doc__,
    )
    page = GraphQLObjectType(f"{model.__name__}Page", _fields(model, row))
    cursor = GraphQLArgument(GraphQLString, description=CURSOR)
    return GraphQLField(
        page,
        answers.arguments(wanted, cursor=cursor),
        description=model.__doc__,
        resolve=partial(_resolve, model),
    )


def _fields(model: type[MirroredTable], row: GraphQLObjectType) -> dict[str, GraphQLField]:
    beside = "The cursor of the {} page; null where there is none, or with `offset`."
    fields = {
        name: GraphQLField(
            GraphQLString,
            description=beside.format(name),
            resolve=lambda answer, info: (getattr(answer.page, info.field_name) or {}).get(
                "cursor"
            ),
        )
        for name in ("next", "previous")
    }
    if model.mirror.facets:
        fields["facets"] = GraphQLField(
            GraphQLNonNull(GraphQLList(GraphQLNonNull(FACET))),
            {"columns": GraphQLArgument(GraphQLNonNull(GraphQLString))},
            description=MEANINGS["facets"],
        )
    return {**answers.fields(row), **fields}


def _resolve(model: type[MirroredTable], _: Any, info: Any, **arguments: Any) -> Answer:
    conditions = where.read(model, arguments.pop("where", None) or {})
    params = answers.params(arguments)
    if _needs_cursors(info) and not params.get("offset"):
        params.setdefault("cursor", "")
    selected = named(info, info.field_nodes, "rows")
    columns = names(info, selected)
    query = Query.read(model, {**params, "columns": ",".join(columns)})
    query = replace(query, where=conditions)
    if not columns:  # without names, `columns` means all columns
        query = replace(query, columns=(model._meta.pk,))
    version = info.context.version(model, query.version)
    return Answer(info.context, query, version, size(info, selected))


def _needs_cursors(info: Any) -> bool:
    """Whether the response has cursors, for which the query reads the order's columns."""
    return not {"next", "previous"}.isdisjoint(names(info, info.field_nodes))
