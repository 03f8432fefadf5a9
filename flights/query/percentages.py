"""Percentages of groups: `percent:Late_Flights/All_Flights` and `share:Delay__gte:30`.

A value of `share` that contains a comma is in double quotes: `share:City:"Chicago, IL"`.
"""

import re

from django.db import models
from django.db.models import Count, F, FloatField, Q, Sum

from flights.errors import BadQuery
from flights.mirror import Field, public

from . import operators
from .columns import Columns
from .filters import column_operator, condition
from .measures import Measure, measure, number, numbers
from .sql_functions import Decimal, Percent

QUOTED = r'\s*"(?:[^"]|"")*+"\s*'
SEVERAL_QUOTED = rf"{QUOTED}(?:,{QUOTED})*"  # values of `in`
PERCENT, SHARE = "percent:column/column", "share:column__operator:value"


def percent(table: Columns, text: str) -> Measure:
    """The ratio of two sums over the rows in which both columns have a value."""
    part, slash, whole = text.partition("/")
    if not (slash and part.strip() and whole.strip()):
        problem = f"aggregate: percent needs two columns of numbers and a slash, as in {PERCENT}."
        raise BadQuery(problem, numbers(table))
    of, to = number(table, "percent", part), number(table, "percent", whole)
    title = f"percent_{public(of)}_of_{public(to)}"
    meaning = f"sum of {public(of)} in percent of the sum of {public(to)}"
    return measure(FloatField(), title, meaning, Percent(_sum(of, to), _sum(to, of)))


def _sum(column: Field, other: Field) -> Sum:
    value = Decimal(column.name) if isinstance(column, models.FloatField) else F(column.name)
    return Sum(value, filter=Q(**{f"{other.name}__isnull": False}))


def share(table: Columns, text: str) -> Measure:
    """The percentage of a group's rows for which a condition holds."""
    name, colon, value = text.partition(":")
    if not colon:
        raise BadQuery(f"aggregate: share needs a condition, as in {SHARE}.", table.names)
    field, operator = column_operator(table, name)
    value = _unquoted(operator, value)
    if not isinstance(field, models.TextField) or operators.split(operator)[0] == "isnull":
        value = value.strip()  # in a text, spaces count
    holds = condition("aggregate: share", name, value, table)
    written = name.strip().lower()[len(public(field)) :]  # the operator, if there is one
    title = f"share_{public(field)}{_words(written, value)}"
    meaning = f"percent of rows with {public(field)}{written}:{value}"
    matches = Count("pk", filter=holds)
    # A version without the column says nothing about it: its number of values is 0.
    without = field.name, Percent(matches, Count(field.name))
    return measure(FloatField(), title, meaning, Percent(matches, Count("pk")), without)


def _unquoted(operator: str, value: str) -> str:
    """A value without its double quotes. `in` reads the quotes of its values itself."""
    if not value.lstrip().startswith('"'):
        return value
    several = operators.split(operator)[0] == "in"
    if not re.fullmatch(SEVERAL_QUOTED if several else QUOTED, value):
        raise BadQuery(f"aggregate: share: the double quotes in {value[:80]!r} do not match.")
    return value if several else value.strip()[1:-1].replace('""', '"')


def _words(operator: str, value: str) -> str:
    """An operator and a value as the end of a name: `_lt_minus_15`, `_Chicago_IL`."""
    value = re.sub(r"^-(?=[\d.])", "minus_", value.strip())
    return re.sub(r"[\W_]+", "_", f"{operator}_{value}", flags=re.ASCII).rstrip("_")
