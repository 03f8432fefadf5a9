"""GraphQL's type of each column, and how its values are read and written."""

import math
from typing import Any

from django.db import models
from graphql import (
    GraphQLBoolean,
    GraphQLField,
    GraphQLFloat,
    GraphQLInt,
    GraphQLScalarType,
    GraphQLString,
)

from flights.api.schema import meaning
from flights.mirror import Field, MirroredTable, public


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("This is not a whole number.")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("This is not a text.")
    return value


def _scalar(name: str, description: str, read: Any = _text) -> GraphQLScalarType:
    # Values leave as they are: the renderer writes dates, decimals and bytes.
    return GraphQLScalarType(
        name,
        description=description,
        coerce_output_value=lambda value: value,
        coerce_input_value=read,
    )


LONG = _scalar("Long", "A whole number of 64 bits; to compare with, of any size.", _whole)
DATE = _scalar("Date", "A day: 2013-01-31.")
TIME = _scalar("DateTime", "A time: 2013-01-31T18:00:00+00:00; without a zone where it has none.")
DECIMAL = _scalar("Decimal", "An exact number, as a text.")
BYTES = _scalar("Bytes", r"Bytes as PostgreSQL writes them: \x00ff.")
ANY = _scalar("Any", "A value of some column: a number, a text, a date, true or false, or null.")

# The exact class first: BigIntegerField is an IntegerField, DateTimeField a DateField.
SCALARS: list[tuple[type[Field], GraphQLScalarType]] = [
    (models.BigIntegerField, LONG),
    (models.IntegerField, GraphQLInt),
    (models.FloatField, GraphQLFloat),
    (models.DecimalField, DECIMAL),
    (models.BooleanField, GraphQLBoolean),
    (models.DateTimeField, TIME),
    (models.DateField, DATE),
    (models.BinaryField, BYTES),
    (models.TextField, GraphQLString),
]


def scalar(field: Field) -> GraphQLScalarType:
    return next(scalar for kind, scalar in SCALARS if isinstance(field, kind))


def column(model: type[MirroredTable], field: Field) -> GraphQLField:
    """A column of a row, which is a dict keyed by public names.

    Any may be null: a version that is older than a column does not have it.
    """
    kind = scalar(field)
    return GraphQLField(
        kind,
        description=meaning(model, field),
        resolve=number(public(field)) if kind is GraphQLFloat else None,
    )


def number(name: str) -> Any:
    """Reads a float. JSON has no NaN and no infinity: they are null, as in other answers."""

    def read(row: dict[str, Any], info: Any) -> float | None:
        value = row[name]
        return value if value is not None and math.isfinite(value) else None

    return read
