"""Form fields that read the values of filters: one for each type of column.

Each accepts one way of writing a value, where Python also reads others, such as `1_0` for 10.
"""

import csv
import re
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from flights.mirror import Field

from . import limits


class Values(forms.Field):
    """Several values with commas between; a value with a comma in it is in double quotes."""

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
    """`true` or `false`, in any case."""

    def to_python(self, value: Any) -> bool:
        if str(value).lower() not in ("true", "false"):
            raise ValidationError(self.error_messages["invalid"], params={"value": value})
        return str(value).lower() == "true"


class Written(forms.Field):
    """A field that only accepts texts of a pattern."""

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
    """How a text becomes a value of a type of column."""

    form_field: type[forms.Field]
    kind: str  # completes "This is not ..." in an error
    sample: str  # a text that can be read
    options: dict[str, Any] = {}


# The first class that fits counts: a DateTimeField is a DateField, too.
_READINGS: dict[type[Field], Reading] = {
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


def one(field: Field) -> forms.Field:
    """The form field that reads one value of a column."""
    reading = _reading(field)
    return reading.form_field(error_messages=refusal(reading.kind), **reading.options)


def several(field: Field) -> forms.Field:
    """The form field that reads several values of a column."""
    return Values(one(field), error_messages=refusal("a list"))


def truth() -> forms.Field:
    """The form field that reads `true` or `false`, whatever the column."""
    return one(models.BooleanField())


def sample(field: Field) -> str:
    """A text that can be read as a value of a column."""
    return _reading(field).sample


def refusal(kind: str) -> dict[str, str]:
    """The messages of a form field that reads a kind of value."""
    return dict.fromkeys(("invalid", "required", "max_digits"), f"This is not {kind}.")


def _reading(field: Field) -> Reading:
    return next(reading for kind, reading in _READINGS.items() if isinstance(field, kind))
