"""The parameter `aggregate`: `count,avg:Delay,p90:Delay,share:Delay__gte:30`.

A computed value is a column of the result, named after its text: `count`, `avg_Delay`,
`share_Delay_gte_30`.
"""

import re
from collections.abc import Callable
from functools import partial

from django.db import models
from django.db.models import Avg, Count, Expression, FloatField, Max, Min

from flights.errors import BadQuery
from flights.mirror import Field, public

from . import limits, percentages
from .columns import Columns
from .measures import Measure, measure, number
from .sql_functions import discrete_percentile, percentile, whole_sum

UNORDERED = (models.BooleanField, models.BinaryField)  # PostgreSQL has no min and max of them
PERCENTILE = re.compile(r"(p|disc)([1-9]\d?)", re.ASCII)
# A comma separates values, unless it stands in the double quotes of a share or between them.
PART = re.compile(rf"\s*share\s*:[^:,]*:{percentages.SEVERAL_QUOTED}|[^,]+", re.IGNORECASE)

type Function = Callable[[Field], Expression]
OF_NUMBERS: dict[str, Function] = {
    "sum": whole_sum,
    "avg": lambda column: Avg(column.name),
    "median": partial(percentile, 50),
}
OF_ALL: dict[str, Function] = {
    "count": lambda column: Count(column.name),
    "count_distinct": lambda column: Count(column.name, distinct=True),
    "min": lambda column: Min(column.name),
    "max": lambda column: Max(column.name),
}
PERCENTAGES = {"percent": percentages.percent, "share": percentages.share}
OF_COLUMNS = (*OF_ALL, *OF_NUMBERS, "p1 to p99", "disc1 to disc99")
ALLOWED = [
    *("count", *(f"{name}:column" for name in OF_COLUMNS)),
    *(percentages.PERCENT, percentages.SHARE),
]


def read(table: Columns, text: str) -> list[Measure]:
    """The values to compute. Raises BadQuery with what is wrong and what is allowed."""
    requested = list(dict.fromkeys(parts(text)))
    limits.at_most(limits.COMPUTED, len(requested), "values of aggregate")
    measures: dict[str, Measure] = {}
    expressions: dict[str, Expression] = {}
    for each in (_measure(table, part) for part in requested or ["count"]):
        name = public(each.field)
        if expressions.setdefault(name.lower(), each.expression) != each.expression:
            raise BadQuery(f"aggregate: two values would be named {name}. Query them separately.")
        measures[name] = each
    for i, each in enumerate(measures.values()):
        each.field.set_attributes_from_name(f"measure_{i}")
    return list(measures.values())


def name(table: Columns, text: str) -> str:
    """The name of the column that one value of `aggregate` gives; BadQuery if it is not one."""
    if len(parts(text)) != 1:
        raise BadQuery(
            f"{text[:80]!r} is not one value. Put a value with a comma in double quotes."
        )
    return public(_measure(table, text).field)


def parts(text: str) -> list[str]:
    """The single values of `aggregate`: `count`, `avg:Delay`. A share may end with a space."""
    return [part.lstrip() for part in PART.findall(text) if part.strip()]


def _measure(table: Columns, text: str) -> Measure:
    function, _, argument = text.partition(":")
    function = function.strip().lower()
    if text.strip().lower() == "count":
        return measure(models.BigIntegerField(), "count", "rows", Count("pk"))
    if function in PERCENTAGES:
        return PERCENTAGES[function](table, argument)
    make = _function(function)
    if make is None or not argument.strip():
        raise BadQuery(f"aggregate: unknown function {text[:80]!r}.", ALLOWED)
    column = _column(table, function, argument)
    meaning = f"{function.replace('_', ' ')} of {column.help_text}"
    title = f"{function}_{public(column)}"
    return measure(_kind(function, column), title, meaning, make(column))


def _function(name: str) -> Function | None:
    if match := PERCENTILE.fullmatch(name):
        make = percentile if match[1] == "p" else discrete_percentile
        return partial(make, int(match[2]))
    return (OF_ALL | OF_NUMBERS).get(name)


def _column(table: Columns, function: str, name: str) -> Field:
    if function not in OF_ALL:
        return number(table, function, name)
    column = table.find(name)
    if function in ("min", "max") and isinstance(column, UNORDERED):
        ordered = [public(field) for field in table.fields if not isinstance(field, UNORDERED)]
        raise BadQuery(f"aggregate: {function} needs a column of numbers, texts or times.", ordered)
    return column


def _kind(function: str, column: Field) -> Field:
    if function.startswith("count"):
        return models.BigIntegerField()
    if function in ("min", "max") or function.startswith("disc"):
        return column.clone()
    whole = function == "sum" and isinstance(column, models.IntegerField)
    return models.BigIntegerField() if whole else FloatField()
