"""Groups of rows and the values computed for each group.

`group_by=Airline_Name` `aggregate=count,avg:Arrival_Delay_Minutes` `having=count__gte:100` gives
the columns `Airline_Name`, `count` and `avg_Arrival_Delay_Minutes`, which can be sorted and paged
like the columns of a table. Without `aggregate` the rows of each group are counted; without
`group_by` all rows are one group.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import models
from django.db.models import Aggregate, Avg, Count, FloatField, Max, Min, Q, Sum, Value

from flights.errors import BadQuery
from flights.mirror import Field, MirroredTable, public

from . import columns, limits
from .columns import Columns
from .filters import conditions

NUMBERS = (models.IntegerField, models.FloatField)
UNORDERED = (models.BooleanField, models.BinaryField)  # PostgreSQL has no min and max of them
LONGEST_NAME = 63  # bytes; PostgreSQL cuts what is longer
PERCENTILE = re.compile(r"p([1-9]\d?)")


class Percentile(Aggregate):
    """Interpolated between the two nearest values, as PostgreSQL's percentile_cont."""

    template = "percentile_cont(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


type Function = Callable[[str], Aggregate]
MEDIAN: Function = partial(Percentile, fraction="0.50")
OF_NUMBERS: dict[str, Function] = {"sum": Sum, "avg": Avg, "median": MEDIAN}
OF_ALL: dict[str, Function] = {
    "count": Count,
    "count_distinct": partial(Count, distinct=True),
    "min": Min,
    "max": Max,
}
ALLOWED = ["count", *(f"{name}:column" for name in (*OF_ALL, *OF_NUMBERS, "p1 to p99"))]


@dataclass(frozen=True)
class Measure:
    """A value computed for each group; its field is a column of the result."""

    field: Field
    expression: Aggregate


@dataclass(frozen=True)
class Grouping:
    by: list[Field]
    measures: list[Measure]
    columns: Columns
    having: list[Q]

    def apply(self, rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        """One row for each group that meets `having`."""
        # Grouping by a constant makes one group of all rows, and one row even without any.
        names = [field.name for field in self.by] or ["everything"]
        rows = rows if self.by else rows.annotate(everything=Value(1))
        measured = {measure.field.name: measure.expression for measure in self.measures}
        groups: models.QuerySet[Any] = rows.order_by().values(*names).annotate(**measured)
        return groups.filter(*self.having)


def read(model: type[MirroredTable], params: dict[str, str]) -> Grouping | None:
    """The groups of a query; None where it asks for rows."""
    by, wanted = params.get("group_by", ""), params.get("aggregate", "")
    having = params.get("having", "")
    if not by.strip() and not wanted.strip():
        if having.strip():
            raise BadQuery("having is about groups: give group_by or aggregate, too.")
        return None
    table = columns.of(model)
    fields = table.listed(by)
    limits.at_most(limits.GROUPED, len(fields), "columns of group_by")
    names = list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
    limits.at_most(limits.COMPUTED, len(names), "values of aggregate")
    measures = [_measure(table, i, name) for i, name in enumerate(names or ["count"])]
    computed = Columns("The grouped answer", [*fields, *(measure.field for measure in measures)])
    return Grouping(fields, measures, computed, conditions("having", having, computed))


def _measure(table: Columns, index: int, text: str) -> Measure:
    function, _, name = text.partition(":")
    function = function.strip().lower()
    if text.lower() == "count":
        return Measure(_field(models.BigIntegerField(), index, "count", "rows"), Count("pk"))
    make = _function(function)
    if make is None or not name.strip():
        raise BadQuery(f"aggregate: unknown function {text[:80]!r}.", ALLOWED)
    column = table.find(name)
    if function not in OF_ALL and not isinstance(column, NUMBERS):
        numbers = [public(field) for field in table.fields if isinstance(field, NUMBERS)]
        raise BadQuery(f"aggregate: {function} needs a column of numbers.", numbers)
    if function in ("min", "max") and isinstance(column, UNORDERED):
        ordered = [public(field) for field in table.fields if not isinstance(field, UNORDERED)]
        raise BadQuery(f"aggregate: {function} needs a column of numbers, texts or times.", ordered)
    title = f"{function}_{public(column)}"
    if len(title.encode()) > LONGEST_NAME:
        raise BadQuery(f"aggregate: the name {title} has more than {LONGEST_NAME} bytes.")
    meaning = f"{function.replace('_', ' ')} of {column.help_text}"
    return Measure(_field(_kind(function, column), index, title, meaning), make(column.name))


def _function(name: str) -> Function | None:
    if percent := PERCENTILE.fullmatch(name):
        return partial(Percentile, fraction=f"0.{int(percent[1]):02}")
    return (OF_ALL | OF_NUMBERS).get(name)


def _kind(function: str, column: Field) -> Field:
    if function.startswith("count"):
        return models.BigIntegerField()
    if function in ("min", "max"):
        return column.clone()
    whole = function == "sum" and isinstance(column, models.IntegerField)
    return models.BigIntegerField() if whole else FloatField()


def _field(field: Field, index: int, title: str, meaning: str) -> Field:
    field.db_column, field.help_text, field.null = title, meaning, True
    field.set_attributes_from_name(f"measure_{index}")
    return field
