"""The field of each table: a page of its rows. Only the selected columns are read."""

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

from . import table_result, where
from .operation import field_names, fields_named, value_count
from .scalars import ANY, LONG, column
from .table_result import TableResult

CURSOR = (
    "Where the page starts: an empty text for the first page, then `next` of the page before. All"
    " pages read the same version, even if a newer one is published meanwhile."
)
FACET_VALUE = GraphQLObjectType(
    "FacetValue",
    {"value": GraphQLField(ANY), "rows": GraphQLField(GraphQLNonNull(LONG))},
    description="A value of a column, and the number of rows of the query that have it.",
)
FACET = GraphQLObjectType(
    "Facet",
    {
        "column": GraphQLField(GraphQLNonNull(GraphQLString)),
        "values": GraphQLField(GraphQLNonNull(GraphQLList(GraphQLNonNull(FACET_VALUE)))),
    },
    description=f"The {counting.FACET_VALUES} most frequent values of a column.",
)


def field(model: type[MirroredTable], where_type: GraphQLInputObjectType) -> GraphQLField:
    """Make the field `<table>`; `where_type` is the type of its conditions."""
    row = GraphQLObjectType(
        model.__name__,
        {public(f): column(model, f) for f in model.columns()},
        description=model.__doc__,
    )
    page = GraphQLObjectType(f"{model.__name__}Page", _fields(model, row))
    cursor = GraphQLArgument(GraphQLString, description=CURSOR)
    return GraphQLField(
        page,
        table_result.arguments(where_type, cursor=cursor),
        description=model.__doc__,
        resolve=partial(_resolve, model),
    )


def _fields(model: type[MirroredTable], row: GraphQLObjectType) -> dict[str, GraphQLField]:
    about = "The cursor of the {} page; null if there is no such page, or with `offset`."
    fields = {
        name: GraphQLField(
            GraphQLString,
            description=about.format(name),
            resolve=lambda result, info: (getattr(result.page, info.field_name) or {}).get(
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
    return {**table_result.fields(row), **fields}


def _resolve(model: type[MirroredTable], _: Any, info: Any, **arguments: Any) -> TableResult:
    conditions = where.read(model, arguments.pop("where", None) or {})
    params = table_result.params(arguments)
    if _needs_cursors(info) and not params.get("offset"):
        params.setdefault("cursor", "")
    rows_nodes = fields_named(info, info.field_nodes, "rows")
    columns = field_names(info, rows_nodes)
    query = Query.read(model, {**params, "columns": ",".join(columns)})
    query = replace(query, where=conditions)
    if not columns:  # without names, `columns` means all columns
        query = replace(query, columns=(model._meta.pk,))
    version = info.context.version(model, query.version)
    return TableResult(info.context, query, version, value_count(info, rows_nodes))


def _needs_cursors(info: Any) -> bool:
    """Whether a cursor is selected. The query then also reads the columns that it sorts by."""
    return not {"next", "previous"}.isdisjoint(field_names(info, info.field_nodes))
