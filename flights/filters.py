"""Filters of the query API: `Column=value` and `Column__lookup=value`, validated by django-filter.

Only the filters that a query names are made: a form of all of them costs more than its query.
"""

import csv
from functools import lru_cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django_filters import Filter
from django_filters.rest_framework import DjangoFilterBackend, FilterSet

from .errors import BadQuery
from .mirror import MirroredTable, named
from .query import Field, column, filters

COMPARED = ["exact", "gt", "gte", "lt", "lte", "in", "isnull"]
WRITTEN = [
    *COMPARED,
    *("iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"),
]

# How a value of each type is read, and how it is called when it cannot be.
READ_BY: dict[type[Field], tuple[type[forms.Field], str, dict[str, Any]]] = {
    models.IntegerField: (forms.IntegerField, "a whole number", {}),
    models.FloatField: (forms.FloatField, "a number", {}),
    models.DateField: (
        forms.DateField,
        "a date such as 2013-01-31",
        {"input_formats": ["%Y-%m-%d"]},
    ),
    models.TextField: (forms.CharField, "a text", {"strip": False, "required": False}),
}


class Values(forms.Field):
    """Several values with commas between; one that holds a comma is in double quotes."""

    def __init__(self, each: forms.Field, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.each = each

    def clean(self, value: Any) -> list[Any]:
        parts = next(csv.reader([value or ""], skipinitialspace=True), [])
        return [self.each.clean(part) for part in parts]


class Truth(forms.Field):
    """`true` or `false`, nothing else."""

    def to_python(self, value: Any) -> bool:
        if str(value).lower() not in ("true", "false"):
            raise ValidationError(self.error_messages["invalid"], params={"value": value})
        return str(value).lower() == "true"


class Condition(Filter):
    """One condition on one column. An empty text is a value like others, not "no filter"."""

    def __init__(self, model_field: Field, lookup: str) -> None:
        super().__init__(field_name=model_field.name, lookup_expr=lookup)
        self.model_field = model_field

    @property
    def field(self) -> forms.Field:
        if self.lookup_expr == "isnull":
            return Truth(error_messages=_refusal("true or false"))
        return _values(self.model_field) if self.lookup_expr == "in" else _value(self.model_field)

    def filter(self, qs: "models.QuerySet[Any]", value: Any) -> "models.QuerySet[Any]":
        return qs.filter(**{f"{self.field_name}__{self.lookup_expr}": value})


class ColumnFilters(DjangoFilterBackend):
    """Makes the filters that a view's parameters name, and no others."""

    def get_filterset_class(self, view: Any, queryset: Any = None) -> type[FilterSet]:
        return filterset(view.model, view.parameters)

    def get_filterset_kwargs(self, request: Any, queryset: Any, view: Any) -> dict[str, Any]:
        return {"data": filters(view.parameters), "queryset": queryset, "request": request}


def lookups(field: Field) -> list[str]:
    return WRITTEN if isinstance(field, models.TextField) else COMPARED


def condition(model: type[MirroredTable], parameter: str) -> tuple[Field, str]:
    """The column and lookup that a parameter names; BadQuery says which there are."""
    name, _, lookup = parameter.partition("__")
    if parameter.strip().lower() in named(model):
        name, lookup = parameter, ""
    field = column(model, name)
    lookup = lookup.strip().lower() or "exact"
    if lookup not in lookups(field):
        raise BadQuery(f"{field.column} has no operator {lookup!r}.", lookups(field))
    return field, lookup


def filterset(model: type[MirroredTable], parameters: dict[str, str]) -> type[FilterSet]:
    """The filters that parameters name; BadQuery for an unknown column or operator."""
    return _filterset(model, tuple(filters(parameters)))


@lru_cache(maxsize=1024)
def _filterset(model: type[MirroredTable], parameters: tuple[str, ...]) -> type[FilterSet]:
    conditions = {name: Condition(*condition(model, name)) for name in parameters}
    return type(f"{model.__name__}Filters", (FilterSet,), conditions)


def _value(field: Field) -> forms.Field:
    form_field, kind, options = next(v for k, v in READ_BY.items() if isinstance(field, k))
    return form_field(error_messages=_refusal(kind), **options)


def _values(field: Field) -> forms.Field:
    return Values(_value(field), error_messages=_refusal("a list"))


def _refusal(kind: str) -> dict[str, str]:
    return dict.fromkeys(("invalid", "required", "max_digits"), f"This is not {kind}.")
