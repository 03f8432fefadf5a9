"""The result of a table's field, and the arguments and fields that rows and groups share."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.conf import settings
from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
)

from flights.api.schema import MEANINGS
from flights.models import TableVersion
from flights.query import counting
from flights.query.paging import Page
from flights.query.query import Query

from .operation import Operation
from .scalars import LONG

LIMIT = (
    f"Maximum number of rows: {settings.DEFAULT_LIMIT:,} by default, at most"
    f" {settings.MAX_LIMIT:,}."
)
COUNT_WAY = GraphQLEnumType("CountWay", {way: way for way in counting.WAYS})


@dataclass
class TableResult:
    """One field's query on one version. It runs only if the client selects fields that need it."""

    operation: Operation
    query: Query
    version: TableVersion
    values_per_row: int

    @cached_property
    def page(self) -> Page:
        self.operation.start_query(self.query.limit * self.values_per_row)
        return self.query.page(self.version)

    def count(self, info: Any, way: str) -> int:
        """Resolve `count`: the number of rows, counted as `way` (of `counting.WAYS`) says."""
        self.operation.start_query()
        return self.query.count(self.version, way)

    def facets(self, info: Any, columns: str) -> list[dict[str, Any]]:
        """Resolve `facets` of comma-separated columns; one database query for each column."""
        fields = counting.read_facets(self.query.model, {"facets": columns})
        for _ in fields:
            self.operation.start_query(counting.FACET_VALUES)
        facets = replace(self.query, facet_columns=fields).facets(self.version)
        return [{"column": name, "values": values} for name, values in facets.items()]


def arguments(where: GraphQLInputObjectType, **more: GraphQLArgument) -> dict[str, GraphQLArgument]:
    """Return the arguments of a table's field, with `more` between `where` and `order_by`."""
    return {
        "where": GraphQLArgument(where, description="Only rows that match these conditions."),
        **more,
        "order_by": GraphQLArgument(GraphQLString, description=MEANINGS["order_by"]),
        "limit": GraphQLArgument(LONG, description=LIMIT),
        "offset": GraphQLArgument(LONG, description=MEANINGS["offset"]),
    }


def params(arguments: dict[str, Any]) -> dict[str, str]:
    """Write arguments as URL parameters, so that `Query.read` validates both in the same way."""
    return {name: str(value) for name, value in arguments.items() if value is not None}


def fields(row: GraphQLObjectType) -> dict[str, GraphQLField]:
    """Return the fields that every `TableResult` has; `row` is the type of its rows."""
    way = GraphQLArgument(COUNT_WAY, default_value="exact")
    return {
        "version": GraphQLField(
            GraphQLNonNull(LONG),
            description="The number of the table's version that these values come from.",
            resolve=lambda result, info: result.version.number,
        ),
        "limit": GraphQLField(
            GraphQLNonNull(LONG),
            description="The row limit of this query.",
            resolve=lambda result, info: result.query.limit,
        ),
        "more": GraphQLField(
            GraphQLNonNull(GraphQLBoolean),
            description="Whether more rows follow the last one.",
            resolve=lambda result, info: result.page.next is not None,
        ),
        "count": GraphQLField(
            GraphQLNonNull(LONG),
            {"way": way},
            description=(
                "Number of rows on all pages; `estimated` returns PostgreSQL's estimate without"
                " counting."
            ),
        ),
        "rows": GraphQLField(
            GraphQLNonNull(GraphQLList(GraphQLNonNull(row))),
            resolve=lambda result, info: result.page.rows,
        ),
    }
