"""What a table's field answers, and the arguments and fields that rows and groups share."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import models
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
from flights.mirror import MirroredTable
from flights.models import TableVersion
from flights.query import counting, paging
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
    """What one field asks of one version. Nothing is read before a field needs it."""

    operation: Operation
    model: type[MirroredTable]
    of: TableVersion
    asked: Query
    rows: "models.QuerySet[Any]"  # those that `where` keeps
    width: int  # values that are given of each row

    @cached_property
    def page(self) -> Page:
        self.operation.spend(self.asked.limit * self.width)
        return paging.page(self.asked, self.rows, self.of)

    def count(self, info: Any, way: str) -> int:
        self.operation.spend()
        return counting.count(way, self.asked, self.rows, self.of)

    def facets(self, info: Any, columns: str) -> list[dict[str, Any]]:
        wanted = counting.asked_facets(self.model, {"facets": columns})
        for _ in wanted.fields:
            self.operation.spend(counting.FACET_VALUES)
        counted = counting.facets(wanted, self.rows, self.of)
        return [{"column": name, "values": values} for name, values in counted.items()]


def arguments(where: GraphQLInputObjectType, **more: GraphQLArgument) -> dict[str, GraphQLArgument]:
    return {
        "where": GraphQLArgument(where, description="Only rows for which this holds."),
        **more,
        "order_by": GraphQLArgument(GraphQLString, description=MEANINGS["order_by"]),
        "limit": GraphQLArgument(LONG, description=LIMIT),
        "offset": GraphQLArgument(LONG, description=MEANINGS["offset"]),
    }


def written(given: dict[str, Any]) -> dict[str, str]:
    """Arguments as the parameters of an address, which are read and checked for both."""
    return {name: str(value) for name, value in given.items() if value is not None}


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
            resolve=lambda answer, info: answer.asked.limit,
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
