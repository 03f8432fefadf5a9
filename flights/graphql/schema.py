"""The whole schema, made of TABLES."""

from typing import Any

from django.conf import settings
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)

from flights.api import catalogue
from flights.api.schema import MEANINGS
from flights.mirror import MirroredTable
from flights.search import search
from flights.search.serializers import SearchAnswer
from flights.tables import TABLES

from . import answers, groups, rows, serializer_types, where
from .limits import DEEPEST, LONGEST, SELECTIONS, TOKENS
from .operation import INTROSPECTED, QUERIES, VALUES, size
from .scalars import LONG

ABOUT = f"""Delays of flights, to read.

All fields of an operation are of one version of each table. It may have {LONGEST:,} characters and
{TOKENS:,} tokens; {SELECTIONS} fields (those of a fragment wherever it is spread), {DEEPEST} within
each other; {QUERIES} queries and {VALUES:,} values (the limit of each field times what is
selected of a row; a value of the schema counts as {INTROSPECTED}), in
{settings.GRAPHQL_TIMEOUT_MS:,} ms."""

# What each field at the top reads; what is not here changes without a new version.
READS: dict[str, list[type[MirroredTable]]] = {
    "search": TABLES,
    **{model._meta.db_table: [model] for model in TABLES},
    **{f"{model._meta.db_table}_groups": [model] for model in TABLES},
}


def _fields() -> dict[str, GraphQLField]:
    fields = {"tables": _tables(), "search": _search()}
    for model in TABLES:
        wanted, name = where.argument(model), model._meta.db_table
        fields[name] = rows.field(model, wanted)
        fields[f"{name}_groups"] = groups.field(model, wanted)
    return fields


def _tables() -> GraphQLField:
    return GraphQLField(
        GraphQLList(GraphQLNonNull(serializer_types.answer(catalogue.Table))),
        description="Every table: its columns, what is published of it, and how fresh that is.",
        resolve=_describe,
    )


def _describe(_: Any, info: Any) -> Any:
    info.context.spend()
    return catalogue.describe(TABLES)


def _search() -> GraphQLField:
    return GraphQLField(
        serializer_types.answer(SearchAnswer),
        {
            "q": GraphQLArgument(GraphQLNonNull(GraphQLString), description=search.ABOUT_Q),
            "table": GraphQLArgument(GraphQLString, description="Search only this table."),
            "limit": GraphQLArgument(LONG, description=search.ABOUT_LIMIT),
            "offset": GraphQLArgument(LONG, description=MEANINGS["offset"]),
        },
        description="Values and rows that contain the words, the best matches first.",
        resolve=_find,
    )


def _find(_: Any, info: Any, **arguments: Any) -> Any:
    query = search.read(answers.params(arguments))
    info.context.spend(query.limit * len(query.models) * size(info, info.field_nodes))
    versions = [(model, info.context.versions.get(model._meta.db_table)) for model in query.models]
    published = [(model, version) for model, version in versions if version]
    return search.results(query, published)


SCHEMA = GraphQLSchema(GraphQLObjectType("Query", _fields(), description=ABOUT))
