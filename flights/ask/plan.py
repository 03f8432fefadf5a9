"""A plan: the query that answers a question, in an allow-listed grammar that is JSON.

    {"table": "performance_by_route", "filters": {"Origin": "JFK"}, "group_by": ["Airline_Code"],
     "aggregates": ["percent:On_Time_Arrivals/Scheduled_Flights", "sum:Scheduled_Flights"],
     "having": ["sum_Scheduled_Flights__gte:100"],
     "order_by": ["-percent_On_Time_Arrivals_of_Scheduled_Flights"], "limit": 20}

The first aggregate is the figure, the second the number of flights that it rests on. A plan is no
SQL: `Query` reads it like the parameters of an address, and its address returns the same figures.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import quote, urlencode

from flights import tables
from flights.errors import BadQuery
from flights.mirror import GROUP, RESERVED, MirroredTable
from flights.query import aggregates, columns, limits
from flights.query.query import Query

FLIGHTS = "flight_delay_data"
PERFORMANCE = tuple(name for name in tables.NAMES if name.startswith("performance_by_"))
TABLES = (*PERFORMANCE, FLIGHTS)
COUNTS = r"(?:Scheduled_Flights|On_Time_Arrivals|Late_Arrivals|Cancelled_Flights|Diverted_Flights)"
# Percentages and averages of rows are never averaged again, so each kind of table has its own.
ALLOWED = {
    True: re.compile(rf"sum:{COUNTS}|percent:{COUNTS}/Scheduled_Flights|count_distinct:\w+"),
    False: re.compile(
        r"count|count_distinct:\w+|(avg|median|max|min|p\d\d?|disc\d\d?):\w+_Minutes"
        r"|share:\w+:[\w -]+"
    ),
}
NAMES = ("table", "filters", "group_by", "aggregates", "having", "order_by", "limit")
MOST = 100  # rows
LEAST = 100  # flights of a group in a ranking: percentages of fewer are mostly chance


@dataclass(frozen=True)
class Plan:
    table: str
    aggregates: tuple[str, ...]  # the figure, and the number of its flights
    filters: tuple[tuple[str, str], ...] = ()
    group_by: tuple[str, ...] = ()
    having: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    limit: int = MOST

    @classmethod
    def read(cls, data: Any) -> Self:
        """A plan from JSON of any source. Raises BadQuery for all that the grammar lacks."""
        if not isinstance(data, dict) or data.keys() - set(NAMES):
            raise BadQuery("A plan must be an object of these names.", list(NAMES))
        table, limit = data.get("table"), data.get("limit", MOST)
        if table not in TABLES:
            raise BadQuery("A plan must name one of these tables.", list(TABLES))
        if not isinstance(limit, int) or isinstance(limit, bool) or not 0 < limit <= MOST:
            raise BadQuery(f"limit must be a whole number from 1 to {MOST}.")
        filters = _filters(data.get("filters", {}))
        if table == "performance_by_airport" and "Direction" not in dict(filters):
            raise BadQuery("performance_by_airport counts each flight twice: filter by Direction.")
        aggregates, group_by = (
            _aggregates(table, _texts(data, "aggregates")),
            _texts(data, "group_by"),
        )
        _texts(data, "having")  # `least` replaces it
        draft = cls(table, aggregates, filters, group_by, (), _texts(data, "order_by"), limit)
        plan = replace(draft, having=draft.least()) if group_by else draft
        plan.query()
        return plan

    @property
    def model(self) -> type[MirroredTable]:
        return tables.by_name(self.table)

    @property
    def params(self) -> dict[str, str]:
        """The parameters of the API's address."""
        lists = {
            "group_by": self.group_by,
            "aggregate": self.aggregates,
            "having": self.having,
            "order_by": self.order_by,
        }
        joined = {name: ",".join(parts) for name, parts in lists.items() if parts}
        limit = {"limit": str(self.limit)} if self.group_by else {}
        return {**dict(self.filters), **joined, **limit}

    @property
    def url(self) -> str:
        """The ordinary address of the API that returns the same figures."""
        return f"/api/{self.table}/?{urlencode(self.params, quote_via=quote, safe=',:/')}"

    def json(self) -> dict[str, Any]:
        """The plan as JSON, which `read` accepts."""
        return {
            "table": self.table,
            "filters": dict(self.filters),
            "group_by": list(self.group_by),
            "aggregates": list(self.aggregates),
            "having": list(self.having),
            "order_by": list(self.order_by),
            "limit": self.limit,
        }

    def least(self) -> tuple[str, ...]:
        """The fewest flights of a group in a ranking; any number where flights are counted."""
        counts = self.aggregates[0].startswith(("count", "sum", "max"))
        return () if counts else self.enough()

    def enough(self) -> tuple[str, ...]:
        """The condition that a group has enough flights, so that its figure is not chance."""
        return (f"{self.column(self.aggregates[-1])}__gte:{LEAST}",)

    def query(self) -> Query:
        """The query, checked against the table's columns. Raises BadQuery."""
        return Query.read(self.model, self.params)

    def column(self, aggregate: str) -> str:
        """The name of the column that an aggregate gives."""
        return aggregates.name(columns.of(self.model), aggregate)


def flights_of(table: str, figure: str) -> str:
    """The aggregate that counts the flights of a figure."""
    function, _, column = figure.partition(":")
    if column.endswith("_Minutes") and function != "count_distinct":
        return f"count:{column}"  # flights that have a value in this column
    return "count" if table == FLIGHTS else "sum:Scheduled_Flights"


def _aggregates(table: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    """The figure, and the number of its flights, whatever the plan says about it."""
    if not 0 < len(texts) <= 2:
        raise BadQuery(
            "A plan must have one or two aggregates: the figure, and the number of its flights."
        )
    figure = texts[0]
    if not ALLOWED[table != FLIGHTS].fullmatch(figure):
        raise BadQuery(f"A plan of {table} cannot compute {figure[:80]!r}.")
    flights = flights_of(table, figure)
    return (figure,) if figure == flights else (figure, flights)


def _filters(data: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(data, dict):
        raise BadQuery("filters must be an object of columns and values.")
    limits.at_most(limits.CONDITIONS, len(data), "filters")
    for name, value in data.items():
        if name.lower() in RESERVED or GROUP.fullmatch(name):
            raise BadQuery(f"{name[:80]!r} is not a filter.")
        if not isinstance(value, str | int | float):
            raise BadQuery(f"The value of {name[:80]!r} must be a text or a number.")
    return tuple((name, _text(value)) for name, value in data.items())


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _texts(data: dict[str, Any], name: str) -> tuple[str, ...]:
    texts = data.get(name, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadQuery(f"{name} must be a list of texts.")
    return tuple(texts)
