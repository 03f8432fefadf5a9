"""A query of one table: read from parameters, checked against its columns, and run on a version.

    query = Query.read(Airports, {"City__startswith": "Chi", "order_by": "-Total_Arrivals"})
    page = query.page(version)

Every surface (REST, `dynamic_query`, GraphQL, exports, the explorer) builds a `Query` and asks it
for rows. It knows nothing of HTTP.
"""

from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from flights import versions
from flights.errors import BadQuery
from flights.mirror import Field, MirroredTable, public
from flights.models import TableVersion

from . import counting, cursor, filters, paging, params, shapes, sql_cache
from .cursor import Position
from .filters import Condition
from .grouping import Grouping
from .ordering import Direction
from .paging import Page


@dataclass(frozen=True)
class Query:
    model: type[MirroredTable]
    columns: tuple[Field, ...]
    where: tuple[Condition | Q, ...]  # rows must meet all of them
    order: tuple[Direction, ...]  # ends with a unique column, so that no two rows are equal in it
    own_limit: int | None  # the client's own number of rows
    offset: int
    grouping: Grouping | None
    by_cursor: bool
    position: Position | None  # where a page by cursor begins; None: at the first row
    count_way: str  # how to count the rows: "exact", "estimated", or "" for not at all
    facet_columns: list[Field]  # whose most frequent values are counted

    @classmethod
    def read(cls, model: type[MirroredTable], values: dict[str, str]) -> Self:
        """The query of some parameters. Raises BadQuery with what is wrong and what is allowed."""
        shape = shapes.read(model, values)
        where = filters.read(shape.filterset, values)
        by_cursor = "cursor" in values
        if by_cursor and (shape.grouping or "offset" in values):
            raise BadQuery(
                "cursor cannot be combined with offset or with groups. Page groups by offset."
            )
        return cls(
            model=model,
            columns=shape.columns,
            where=where,
            order=shape.order,
            own_limit=params.whole_number(values, "limit", 0) if values.get("limit") else None,
            offset=params.offset(values),
            grouping=shape.grouping,
            by_cursor=by_cursor,
            position=cursor.read(text, shape.order) if (text := values.get("cursor")) else None,
            count_way=counting.read(values),
            facet_columns=counting.read_facets(model, values),
        )

    @property
    def limit(self) -> int:
        """The most rows of a page."""
        limit = settings.DEFAULT_LIMIT if self.own_limit is None else self.own_limit
        return min(limit, settings.MAX_LIMIT)

    @property
    def version(self) -> int | None:
        """The version that a cursor names; None: the current one."""
        return self.position.version if self.position else None

    @property
    def names(self) -> list[str]:
        """The public names of the columns."""
        return [public(field) for field in self.columns]

    @property
    def is_unfiltered(self) -> bool:
        """Whether the query matches every row of a version, whose number is known."""
        return not (self.grouping or any(self.where))

    def rows(self, version: TableVersion) -> "models.QuerySet[Any]":
        """The rows that meet the conditions."""
        conditions = (part if isinstance(part, Q) else part.q for part in self.where)
        return versions.rows(self.model, version).filter(*conditions)

    def matches(self, version: TableVersion) -> "models.QuerySet[Any]":
        """The rows, or the groups of a query that groups them, without order."""
        rows = self.rows(version)
        return self.grouping.apply(rows) if self.grouping else rows

    def select(self, version: TableVersion) -> "models.QuerySet[Any]":
        """All matches in order, as tuples of the columns' values."""
        order = [direction.expression for direction in self.order]
        names = [field.name for field in self.columns]
        return self.matches(version).order_by(*order).values_list(*names)

    def sql(self, version: TableVersion, limit: int | None) -> sql_cache.Statement:
        """The SQL of at most `limit` rows from the offset on, or of all; and its values."""
        return sql_cache.sql(self, version, limit)

    def page(self, version: TableVersion) -> Page:
        """One page of rows. Raises BadQuery or Unavailable if it would cost too much."""
        return paging.page(self, version)

    def count(self, version: TableVersion, way: str = "") -> int:
        """The number of all matches, whatever the page: "exact", or as the planner estimates."""
        return counting.count(self, version, way or self.count_way)

    def facets(self, version: TableVersion) -> counting.Facets:
        """The most frequent values of the facet columns among the matching rows."""
        return counting.facets(self, version)
