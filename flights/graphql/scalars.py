"""The GraphQL scalar type of each column, and how arguments of these types are read."""

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


def _read_whole_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("This is not a whole number.")
    return value


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("This is not a text.")
    return value


def _scalar(name: str, description: str, read: Any = _read_text) -> GraphQLScalarType:
    # Output values are not converted: the JSON renderer writes dates, decimals and bytes.
    return GraphQLScalarType(
        name,
        description=description,
        coerce_output_value=lambda value: value,
        coerce_input_value=read,
    )


LONG = _scalar("Long", "A 64-bit whole number; in conditions, of any size.", _read_whole_number)
DATE = _scalar("Date", "A date: 2013-01-31.")
TIME = _scalar(
    "DateTime", "A date and time, and its zone if it has one: 2013-01-31T18:00:00+00:00."
)
DECIMAL = _scalar("Decimal", "An exact decimal number, written as a text.")
BYTES = _scalar("Bytes", r"Bytes in hexadecimal digits, as PostgreSQL writes them: \x00ff.")
ANY = _scalar("Any", "A value of any column: a number, a text, a date, true, false or null.")

# Subclasses come first: BigIntegerField is an IntegerField, DateTimeField a DateField.
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
    """Return the GraphQL type of a column."""
    return next(scalar for field_class, scalar in SCALARS if isinstance(field, field_class))


def column(model: type[MirroredTable], field: Field) -> GraphQLField:
    """Make the field of a column. Its row is a dict by public column names.

    Every column is nullable: in a version older than the column, its values are null.
    """
    type_ = scalar(field)
    return GraphQLField(
        type_,
        description=meaning(model, field),
        resolve=finite_float(public(field)) if type_ is GraphQLFloat else None,
    )


def finite_float(name: str) -> Any:
    """Make a resolver that reads a float from a row.

    NaN and infinity become null, as in REST: JSON (RFC 8259) cannot write them.
    """

    def resolve(row: dict[str, Any], info: Any) -> float | None:
        value = row[name]
        return value if value is not None and math.isfinite(value) else None

    return resolve
