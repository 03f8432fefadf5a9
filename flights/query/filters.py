"""Filters: `Column=value` and `Column__operator=value`, as filters of django-filter.

`Column__not=value` and `Column__not_operator=value` keep all other rows, also those without a
value. `or=City:Boston, MA,Total_Arrivals__gte:4` keeps rows that meet at least one condition.

Only the filters that a query names are made: making a form of all would cost more than the query.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache, reduce
from operator import or_
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, Value
from django_filters import Filter
from django_filters.rest_framework import FilterSet

from flights.errors import BadQuery
from flights.mirror import GROUP, RESERVED, Field, MirroredTable

from . import columns, limits, operators, values
from .columns import Columns


class QFilter(Filter):
    """A filter of django-filter that is a `Q` of its value."""

    def filter(self, qs: "models.QuerySet[Any]", value: Any) -> "models.QuerySet[Any]":
        return qs.filter(self.q(value))

    def q(self, value: Any) -> Q:
        raise NotImplementedError


class ColumnFilter(QFilter):
    """A filter of one column by one operator. An empty text is a value, not "no filter"."""

    def __init__(self, model_field: Field, operator: str) -> None:
        lookup, negated = operators.split(operator)
        super().__init__(model_field.name, lookup, exclude=negated)
        self.model_field = model_field

    @cached_property
    def field(self) -> forms.Field:
        if self.lookup_expr == "isnull":
            return values.truth()
        read = values.several if self.lookup_expr == "in" else values.one
        return read(self.model_field)

    def q(self, value: Any) -> Q:
        matches = self._matches(value)
        return ~matches if self.exclude else matches

    def _matches(self, value: Any) -> Q:
        """A condition that always becomes SQL.

        Django runs no SQL for a condition that no row can meet, such as a number that the column
        cannot hold. A file needs the SQL, and a count needs a row that says 0.
        """
        name, field = self.field_name, self.model_field
        if self.lookup_expr == "in" and not value:
            return Q(**{f"{name}__isnull": True}) & Q(**{f"{name}__isnull": False})
        most = 2**63 if isinstance(field, models.BigIntegerField) else 2**31
        if isinstance(field, models.IntegerField) and isinstance(value, int):
            value = value if -most <= value < most else Value(Decimal(value))
        return Q(**{f"{name}__{self.lookup_expr}": value})


class AnyOf(QFilter):
    """Several conditions in one parameter. A row must meet at least one."""

    def __init__(self, parameter: str, among: Columns) -> None:
        super().__init__()
        self.parameter, self.among = parameter, among

    @cached_property
    def field(self) -> forms.Field:
        messages = values.refusal("a list of conditions such as City:Boston")
        # The value of the last condition may end with a space.
        return forms.RegexField(r"\S", strip=False, error_messages=messages)

    def q(self, value: Any) -> Q:
        return reduce(or_, conditions(self.parameter, value, self.among))


@dataclass(frozen=True)
class Condition:
    """A filter of a column with its value."""

    parameter: str  # as the client wrote it: "City__startswith"
    filter: ColumnFilter
    value: Any

    @property
    def q(self) -> Q:
        return self.filter.q(self.value)


def read(filterset: type[FilterSet], params: dict[str, str]) -> tuple[Condition | Q, ...]:
    """Parse the conditions in parameters; rows must meet all conditions.

    Raises BadQuery for values that do not fit their columns.
    """
    where: list[Condition | Q] = []
    errors = []
    for name, column_filter in filterset.base_filters.items():
        try:
            where.append(_condition(name, column_filter, params[name]))
        except ValidationError as error:
            errors.append(f"{name}: {' '.join(error.messages)}")
    if errors:
        raise BadQuery(" ".join(errors))
    return tuple(where)


def _condition(name: str, column_filter: Filter, text: str) -> Condition | Q:
    value = column_filter.field.clean(text)
    if isinstance(column_filter, AnyOf):
        return column_filter.q(value)
    return Condition(name, column_filter, value)


def filled(filterset: type[FilterSet]) -> frozenset[Field]:
    """The columns that have a value in every row that meets the conditions."""
    named = (f for f in filterset.base_filters.values() if isinstance(f, ColumnFilter))
    return frozenset(f.model_field for f in named if not f.exclude and f.lookup_expr != "isnull")


def column_operator(among: Columns, parameter: str) -> tuple[Field, str]:
    """The column and the operator that a parameter names; BadQuery lists what is allowed."""
    name, _, operator = parameter.partition("__")
    if parameter in among:
        name, operator = parameter, ""
    field = among.find(name)
    operator = operator.strip().lower() or "exact"
    known = operators.names(field)
    if operators.split(operator)[0] not in known:
        allowed = [*known, "and each with not_ before it"]
        raise BadQuery(f"{field.column} has no operator {operator!r}.", allowed)
    return field, operator


def conditions(parameter: str, text: str, among: Columns) -> list[Q]:
    """The conditions in `column:value,column__operator:value`; BadQuery says what is wrong."""
    return [
        condition(parameter, name, value, among) for name, value in split(parameter, text, among)
    ]


def split(parameter: str, text: str, among: Columns) -> list[tuple[str, str]]:
    """Names and values; in `City:Chicago, IL,Total:4` a comma separates only before a column."""
    parts = among.comma_before_condition.split(text) if text.strip() else []
    limits.at_most(limits.CONDITIONS, len(parts), f"conditions of {parameter}")
    for part in parts:
        if ":" not in part:
            raise BadQuery(f"{parameter}: {part[:80]!r} is not column:value.", among.names)
    return [(name.strip(), value) for name, _, value in (part.partition(":") for part in parts)]


def condition(parameter: str, name: str, text: str, among: Columns) -> Q:
    """The condition that a column, its operator and the text of a value state."""
    column_filter = ColumnFilter(*column_operator(among, name))
    try:
        return column_filter.q(column_filter.field.clean(text))
    except ValidationError as error:
        raise BadQuery(f"{parameter}: {name}: {' '.join(error.messages)}") from None


def filters(params: dict[str, str]) -> dict[str, str]:
    """The parameters that are filters: all that have no other meaning."""
    return {name: value for name, value in params.items() if name not in RESERVED}


@lru_cache(maxsize=1024)  # many shapes have the same filters, and a class takes long to make
def filterset(model: type[MirroredTable], parameters: tuple[str, ...]) -> type[FilterSet]:
    """The filters that parameters name. Raises BadQuery for an unknown column or operator."""
    limits.at_most(limits.CONDITIONS, len(parameters), "filters")
    among = columns.of(model)
    named = {name: _filter(name, among) for name in parameters}
    return type(f"{model.__name__}Filters", (FilterSet,), named)


def _filter(parameter: str, among: Columns) -> Filter:
    if GROUP.fullmatch(parameter):
        return AnyOf(parameter, among)
    return ColumnFilter(*column_operator(among, parameter))
