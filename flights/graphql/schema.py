"""The GraphQL schema, generated from TABLES."""

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

from . import groups, rows, serializer_types, table_result, where
from .limits import MAX_CHARACTERS, MAX_DEPTH, MAX_FIELDS, MAX_TOKENS
from .operation import MAX_QUERIES, MAX_VALUES, SCHEMA_VALUE_COST, value_count
from .scalars import LONG

ABOUT = f"""Read flight delays.

All fields of an operation read the same version of each table. An operation can have
{MAX_CHARACTERS:,} characters, {MAX_TOKENS:,} tokens and {MAX_FIELDS} fields (a fragment's fields
count each time it is used), nested {MAX_DEPTH} deep. It can run {MAX_QUERIES} database queries and
read {MAX_VALUES:,} values (for each field, its limit times the values selected per row;
{SCHEMA_VALUE_COST} for each value of the schema), in {settings.GRAPHQL_TIMEOUT_MS:,} ms."""

# The tables that each top-level field reads. The response of any other field can change without a
# new version, so caches must not store it.
READS: dict[str, list[type[MirroredTable]]] = {
    "search": TABLES,
    **{model._meta.db_table: [model] for model in TABLES},
    **{f"{model._meta.db_table}_groups": [model] for model in TABLES},
}


def _fields() -> dict[str, GraphQLField]:
    fields = {"tables": _tables(), "search": _search()}
    for model in TABLES:
        where_type, name = where.argument(model), model._meta.db_table
        fields[name] = rows.field(model, where_type)
        fields[f"{name}_groups"] = groups.field(model, where_type)
    return fields


def _tables() -> GraphQLField:
    return GraphQLField(
        GraphQLList(GraphQLNonNull(serializer_types.object_type(catalogue.Table))),
        description="Every table: its columns, its published version and the age of its data.",
        resolve=_resolve_tables,
    )


def _resolve_tables(_: Any, info: Any) -> Any:
    info.context.start_query()
    return catalogue.describe(TABLES)


def _search() -> GraphQLField:
    return GraphQLField(
        serializer_types.object_type(SearchAnswer),
        {
            "q": GraphQLArgument(GraphQLNonNull(GraphQLString), description=search.ABOUT_Q),
            "table": GraphQLArgument(GraphQLString, description="Search only this table."),
            "limit": GraphQLArgument(LONG, description=search.ABOUT_LIMIT),
            "offset": GraphQLArgument(LONG, description=MEANINGS["offset"]),
        },
        description="Values and rows that contain the words, best matches first.",
        resolve=_resolve_search,
    )


def _resolve_search(_: Any, info: Any, **arguments: Any) -> Any:
    query = search.read(table_result.params(arguments))
    values_per_row = value_count(info, info.field_nodes)
    info.context.start_query(query.limit * len(query.models) * values_per_row)
    versions = [(model, info.context.versions.get(model._meta.db_table)) for model in query.models]
    published = [(model, version) for model, version in versions if version]
    return search.results(query, published)


SCHEMA = GraphQLSchema(GraphQLObjectType("Query", _fields(), description=ABOUT))
