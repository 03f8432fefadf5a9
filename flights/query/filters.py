"""Filters of the query API: `Column=value` and `Column__lookup=value`, validated by django-filter.

`Column__not=value` and `Column__not_lookup=value` keep all the other rows, those without a value
among them. `or=City:Boston, MA,Total_Arrivals__gte:4` keeps rows of which one condition holds.

Only the filters that a query names are made: a form of all of them costs more than its query.
"""

import csv
import re
from decimal import Decimal
from functools import lru_cache, reduce
from operator import or_
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, Value
from django_filters import Filter
from django_filters.rest_framework import DjangoFilterBackend, FilterSet

from flights.errors import BadQuery
from flights.mirror import GROUP, RESERVED, Field, MirroredTable

from . import columns, limits
from .columns import Columns

COMPARED = ["exact", "gt", "gte", "lt", "lte", "in", "isnull"]
WRITTEN = [
    *COMPARED,
    *("iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"),
]


class Values(forms.Field):
    """Several values with commas between; one that holds a comma is in double quotes."""

    def __init__(self, each: forms.Field, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.each = each

    def clean(self, value: Any) -> list[Any]:
        try:
            parts = next(csv.reader([value or ""], skipinitialspace=True), [])
        except csv.Error:
            raise ValidationError("A value with a line break has to be in double quotes.") from None
        limits.at_most(limits.VALUES, len(parts), "values of in")
        return [self.each.clean(part) for part in parts]


class Truth(forms.Field):
    """`true` or `false`, nothing else."""

    def to_python(self, value: Any) -> bool:
        if str(value).lower() not in ("true", "false"):
            raise ValidationError(self.error_messages["invalid"], params={"value": value})
        return str(value).lower() == "true"


class Written(forms.Field):
    """Reads one way of writing, where Python's `int` also reads `1_0`, ` 10` and other scripts."""

    form: re.Pattern[str]

    def clean(self, value: Any) -> Any:
        if not self.form.fullmatch(str(value)):
            raise ValidationError(self.error_messages["invalid"], params={"value": value})
        return super().clean(value)


class Whole(Written, forms.IntegerField):
    form = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)


class Float(Written, forms.FloatField):
    form = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


class Exact(Written, forms.DecimalField):
    form = Float.form


class Day(Written, forms.DateField):
    form = re.compile(r"\d{4}-\d{1,2}-\d{1,2}", re.ASCII)


class Time(Written, forms.DateTimeField):
    form = re.compile(r"[!-~]+( [!-~]+)*")


class Reading(NamedTuple):
    """How a text becomes a value, what it is called when it cannot, and one that can."""

    by: type[forms.Field]
    kind: str
    sample: str
    options: dict[str, Any] = {}


# The first that fits counts: a DateTimeField is a DateField, too.
READ_BY: dict[type[Field], Reading] = {
    models.IntegerField: Reading(Whole, "a whole number", "10"),
    models.FloatField: Reading(Float, "a number", "1.5"),
    models.DecimalField: Reading(Exact, "a number", "1"),
    models.BooleanField: Reading(Truth, "true or false", "true"),
    models.DateTimeField: Reading(
        Time, "a time such as 2013-01-31T18:00:00Z", "2013-01-31T18:00:00Z"
    ),
    models.DateField: Reading(
        *(Day, "a date such as 2013-01-31", "2013-01-31"),
        {"input_formats": ["%Y-%m-%d"]},
    ),
    models.TextField: Reading(forms.CharField, "a text", "x", {"strip": False, "required": False}),
}


class Condition(Filter):
    """One condition on one column. An empty text is a value like others, not "no filter"."""

    def __init__(self, model_field: Field, lookup: str) -> None:
        negated = lookup == "not" or lookup.startswith("not_")
        super().__init__(model_field.name, plain(lookup), exclude=negated)
        self.model_field = model_field

    @property
    def field(self) -> forms.Field:
        if self.lookup_expr == "isnull":
            return _value(models.BooleanField())
        return _values(self.model_field) if self.lookup_expr == "in" else _value(self.model_field)

    def filter(self, qs: "models.QuerySet[Any]", value: Any) -> "models.QuerySet[Any]":
        return qs.filter(self.q(value))

    def q(self, value: Any) -> Q:
        holds = self._holds(value)
        return ~holds if self.exclude else holds

    def _holds(self, value: Any) -> Q:
        """PostgreSQL is asked also what Django knows to be false of every row.

        Else there would be no SQL: nothing to write a file by, and no row that says 0.
        """
        name, field = self.field_name, self.model_field
        if self.lookup_expr == "in" and not value:
            return Q(**{f"{name}__isnull": True}) & Q(**{f"{name}__isnull": False})
        most = 2**63 if isinstance(field, models.BigIntegerField) else 2**31
        if isinstance(field, models.IntegerField) and isinstance(value, int):
            value = value if -most <= value < most else Value(Decimal(value))
        return Q(**{f"{name}__{self.lookup_expr}": value})


class AnyOf(Filter):
    """Conditions in one parameter, of which at least one has to hold."""

    def __init__(self, parameter: str, among: Columns) -> None:
        super().__init__()
        self.parameter, self.among = parameter, among

    @property
    def field(self) -> forms.Field:
        example = "a list of conditions such as City:Boston"
        # The last value ends with the parameter: it may end with a space.
        return forms.RegexField(r"\S", strip=False, error_messages=_refusal(example))

    def filter(self, qs: "models.QuerySet[Any]", value: Any) -> "models.QuerySet[Any]":
        return qs.filter(reduce(or_, conditions(self.parameter, value, self.among)))


class ColumnFilters(DjangoFilterBackend):
    """Makes the filters that a view's parameters name, and no others."""

    def get_filterset_class(self, view: Any, queryset: Any = None) -> type[FilterSet]:
        return filterset(view.model, view.parameters)

    def get_filterset_kwargs(self, request: Any, queryset: Any, view: Any) -> dict[str, Any]:
        return {"data": view.parameters, "queryset": queryset, "request": request}


def lookups(field: Field) -> list[str]:
    if isinstance(field, models.BinaryField):
        return ["isnull"]
    return WRITTEN if isinstance(field, models.TextField) else COMPARED


def plain(lookup: str) -> str:
    """The lookup that one with `not_` before it negates; others as they are."""
    return "exact" if lookup == "not" else lookup.removeprefix("not_")


def condition(among: Columns, parameter: str) -> tuple[Field, str]:
    """The column and lookup that a parameter names; BadQuery says which there are."""
    name, _, lookup = parameter.partition("__")
    if parameter in among:
        name, lookup = parameter, ""
    field = among.find(name)
    lookup = lookup.strip().lower() or "exact"
    if plain(lookup) not in lookups(field):
        allowed = [*lookups(field), "and each with not_ before it"]
        raise BadQuery(f"{field.column} has no operator {lookup!r}.", allowed)
    return field, lookup


def conditions(parameter: str, text: str, among: Columns) -> list[Q]:
    """What one parameter's `column:value,column__lookup:value` says; BadQuery for what is wrong."""
    return [_q(parameter, name, value, among) for name, value in split(parameter, text, among)]


def split(parameter: str, text: str, among: Columns) -> list[tuple[str, str]]:
    """Names and values; in `City:Chicago, IL,Total:4` a comma separates only before a column."""
    names = "|".join(map(re.escape, among.names))
    start = rf",(?=\s*(?:{names})(?:__\w+)?\s*:)"
    parts = re.split(start, text, flags=re.IGNORECASE) if text.strip() else []
    limits.at_most(limits.CONDITIONS, len(parts), f"conditions of {parameter}")
    for part in parts:
        if ":" not in part:
            raise BadQuery(f"{parameter}: {part[:80]!r} is not column:value.", among.names)
    return [(name.strip(), value) for name, _, value in (part.partition(":") for part in parts)]


def _q(parameter: str, name: str, value: str, among: Columns) -> Q:
    asked = Condition(*condition(among, name))
    try:
        return asked.q(asked.field.clean(value))
    except ValidationError as error:
        raise BadQuery(f"{parameter}: {name}: {' '.join(error.messages)}") from None


def filters(parameters: dict[str, str]) -> dict[str, str]:
    """The parameters that are filters: all that mean nothing else."""
    return {name: value for name, value in parameters.items() if name not in RESERVED}


def filterset(model: type[MirroredTable], parameters: dict[str, str]) -> type[FilterSet]:
    """The filters that parameters name; BadQuery for an unknown column or operator."""
    named = tuple(filters(parameters))
    limits.at_most(limits.CONDITIONS, len(named), "filters")
    return _filterset(model, named)


@lru_cache(maxsize=1024)
def _filterset(model: type[MirroredTable], parameters: tuple[str, ...]) -> type[FilterSet]:
    among = columns.of(model)
    named = {
        name: AnyOf(name, among) if GROUP.fullmatch(name) else Condition(*condition(among, name))
        for name in parameters
    }
    return type(f"{model.__name__}Filters", (FilterSet,), named)


def filled(model: type[MirroredTable], parameters: dict[str, str]) -> frozenset[Field]:
    """The columns that have a value in every row that the filters let through."""
    return _filled(model, tuple(filters(parameters)))


@lru_cache(maxsize=1024)
def _filled(model: type[MirroredTable], parameters: tuple[str, ...]) -> frozenset[Field]:
    named = [condition(columns.of(model), name) for name in parameters if not GROUP.fullmatch(name)]
    return frozenset(field for field, lookup in named if lookup in {*WRITTEN} - {"isnull"})


def sample(field: Field) -> str:
    """A text that can be read as a value of a column."""
    return _reading(field).sample


def _reading(field: Field) -> Reading:
    return next(reading for kind, reading in READ_BY.items() if isinstance(field, kind))


def _value(field: Field) -> forms.Field:
    reading = _reading(field)
    return reading.by(error_messages=_refusal(reading.kind), **reading.options)


def _values(field: Field) -> forms.Field:
    return Values(_value(field), error_messages=_refusal("a list"))


def _refusal(kind: str) -> dict[str, str]:
    return dict.fromkeys(("invalid", "required", "max_digits"), f"This is not {kind}.")
