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

from flights import versions
from flights.api.schema import MEANINGS
from flights.mirror import MirroredTable, public
from flights.query import counting, query

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


def _resolve(model: type[MirroredTable], _: Any, info: Any, **given: Any) -> Answer:
    keeps = where.read(model, given.pop("where", None) or {})
    parameters = answers.written(given)
    if _leads_on(info) and not parameters.get("offset"):
        parameters.setdefault("cursor", "")
    selected = named(info, info.field_nodes, "rows")
    columns = names(info, selected)
    asked = query.read(model, {**parameters, "columns": ",".join(columns)})
    if not columns:  # nothing of a row is wanted, and not everything
        asked = replace(asked, columns=[model._meta.pk])
    version = info.context.version(model, asked.position.version if asked.position else None)
    rows = versions.rows(model, version).filter(keeps)
    return Answer(info.context, model, version, asked, rows, size(info, selected))


def _leads_on(info: Any) -> bool:
    """Whether cursors are asked for: they need the values of the order's columns."""
    return not {"next", "previous"}.isdisjoint(names(info, info.field_nodes))
