"""Convert the columns of a mirrored table to an Arrow schema."""

from collections.abc import Iterable

import pyarrow as pa
from django.db import models

from .mirror import Field, LocalDateTimeField, public

TYPES: dict[type[Field], pa.DataType] = {
    models.TextField: pa.string(),
    models.BigIntegerField: pa.int64(),
    models.IntegerField: pa.int32(),
    models.SmallIntegerField: pa.int16(),
    models.FloatField: pa.float64(),
    models.BooleanField: pa.bool_(),
    models.DateField: pa.date32(),
    models.DateTimeField: pa.timestamp("us", tz="UTC"),
    LocalDateTimeField: pa.timestamp("us"),
    models.BinaryField: pa.binary(),
}


def schema(fields: Iterable[Field]) -> pa.Schema:
    """Return a schema with the public names of the fields, in their order."""
    return pa.schema([pa.field(public(field), _type(field), field.null) for field in fields])


def _type(field: Field) -> pa.DataType:
    if isinstance(field, models.DecimalField):
        return pa.decimal128(field.max_digits or 38, field.decimal_places or 0)
    # By the exact class: DateTimeField is a DateField, and BigIntegerField an IntegerField.
    return TYPES[type(field)]
