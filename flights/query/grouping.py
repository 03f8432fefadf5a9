"""Groups of rows and the values computed for each group.

`group_by=Airline_Name` `aggregate=count,avg:Arrival_Delay_Minutes` `having=count__gte:100` gives
the columns `Airline_Name`, `count` and `avg_Arrival_Delay_Minutes`, which can be sorted and paged
like the columns of a table. Without `aggregate` the rows of each group are counted; without
`group_by` all rows are one group.
"""

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Q, Value

from flights.errors import BadQuery
from flights.mirror import Field, MirroredTable, public

from . import aggregates, columns, periods
from .columns import Columns
from .filters import conditions
from .measures import Measure
from .periods import Key


@dataclass(frozen=True)
class Grouping:
    keys: list[Key]
    measures: list[Measure]
    columns: Columns
    having: list[Q]

    @property
    def by(self) -> list[Field]:
        """The columns by which rows are grouped."""
        return [key.field for key in self.keys]

    def apply(self, rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        """One row for each group that meets `having`."""
        computed: dict[str, Any] = {k.field.name: k.expression for k in self.keys if k.expression}
        if not self.keys:
            # Grouping by a constant makes one group of all rows, and one row even without any.
            computed = {"everything": Value(1)}
        names = [field.name for field in self.by] or ["everything"]
        measured = {measure.field.name: measure.of(rows) for measure in self.measures}
        groups = rows.annotate(**computed).order_by().values(*names).annotate(**measured)
        matches: models.QuerySet[Any] = groups.filter(*self.having)
        return matches


def read(model: type[MirroredTable], params: dict[str, str]) -> Grouping | None:
    """The groups of a query; None if the query reads rows."""
    by, aggregate = params.get("group_by", ""), params.get("aggregate", "")
    having = params.get("having", "")
    if not by.strip() and not aggregate.strip():
        if having.strip():
            raise BadQuery("having needs groups: add group_by or aggregate.")
        return None
    table = columns.of(model)
    keys, computed = periods.read(table, by), aggregates.read(table, aggregate)
    _check_names(keys, computed)
    fields = [*(key.field for key in keys), *(measure.field for measure in computed)]
    known = Columns("The grouped result", fields)
    return Grouping(keys, computed, known, conditions("having", having, known))


def _check_names(keys: list[Key], computed: list[Measure]) -> None:
    names = [public(key.field).lower() for key in keys]
    names += {public(measure.field).lower() for measure in computed}
    if twice := [name for name in names if names.count(name) > 1]:
        raise BadQuery(f"Two columns of the groups would be named {twice[0]}. Leave one out.")
