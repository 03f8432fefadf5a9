"""What a table's field answers, and the arguments and fields that rows and groups share."""

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
    f"At most so many rows: {settings.DEFAULT_LIMIT:,} where it is not given,"
    f" {settings.MAX_LIMIT:,} at most."
)
COUNT_WAY = GraphQLEnumType("CountWay", {way: way for way in counting.WAYS})


@dataclass
class Answer:
    """The query of one field, on one version. It runs when a field needs its rows."""

    operation: Operation
    query: Query
    of: TableVersion
    width: int  # values of each row in the response

    @cached_property
    def page(self) -> Page:
        self.operation.spend(self.query.limit * self.width)
        return self.query.page(self.of)

    def count(self, info: Any, way: str) -> int:
        self.operation.spend()
        return self.query.count(self.of, way)

    def facets(self, info: Any, columns: str) -> list[dict[str, Any]]:
        fields = counting.read_facets(self.query.model, {"facets": columns})
        for _ in fields:
            self.operation.spend(counting.FACET_VALUES)
        counted = replace(self.query, facet_columns=fields).facets(self.of)
        return [{"column": name, "values": values} for name, values in counted.items()]


def arguments(where: GraphQLInputObjectType, **more: GraphQLArgument) -> dict[str, GraphQLArgument]:
    return {
        "where": GraphQLArgument(where, description="Only rows for which this holds."),
        **more,
        "order_by": GraphQLArgument(GraphQLString, description=MEANINGS["order_by"]),
        "limit": GraphQLArgument(LONG, description=LIMIT),
        "offset": GraphQLArgument(LONG, description=MEANINGS["offset"]),
    }


def params(arguments: dict[str, Any]) -> dict[str, str]:
    """Arguments as parameters of an address, so that `Query.read` checks both."""
    return {name: str(value) for name, value in arguments.items() if value is not None}


def fields(row: GraphQLObjectType) -> dict[str, GraphQLField]:
    """What every answer states, and its rows."""
    way = GraphQLArgument(COUNT_WAY, default_value="exact")
    return {
        "version": GraphQLField(
            GraphQLNonNull(LONG),
            description="The published version that all of it is of.",
            resolve=lambda answer, info: answer.of.number,
        ),
        "limit": GraphQLField(
            GraphQLNonNull(LONG),
            description="The limit that held.",
            resolve=lambda answer, info: answer.query.limit,
        ),
        "more": GraphQLField(
            GraphQLNonNull(GraphQLBoolean),
            description="Whether there are rows behind the last one.",
            resolve=lambda answer, info: answer.page.next is not None,
        ),
        "count": GraphQLField(
            GraphQLNonNull(LONG),
            {"way": way},
            description="All rows of the query; `estimated` as the planner guesses at once.",
        ),
        "rows": GraphQLField(
            GraphQLNonNull(GraphQLList(GraphQLNonNull(row))),
            resolve=lambda answer, info: answer.page.rows,
        ),
    }
