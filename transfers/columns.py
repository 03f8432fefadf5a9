"""The types that a transfer carries: a model's field, Arrow's and PostgreSQL's name for each."""

from typing import Any

import pyarrow as pa
from django.db import models

from flights.mirror import LocalDateTimeField, MirroredTable, public

from .exceptions import SchemaMismatch

ARROW: dict[type["models.Field[Any, Any]"], pa.DataType] = {
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
POSTGRESQL: dict[pa.DataType, str] = {
    pa.string(): "text",
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.int16(): "smallint",
    pa.float64(): "double precision",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp",
    pa.timestamp("us", tz="UTC"): "timestamp with time zone",
    pa.binary(): "bytea",
}


def schema(model: type[MirroredTable]) -> pa.Schema:
    """The public columns of a model, in order."""
    return pa.schema([pa.field(public(f), _arrow(f), f.null) for f in model.columns()])


def postgresql(type_: pa.DataType) -> str:
    if pa.types.is_decimal(type_):
        return f"numeric({type_.precision},{type_.scale})"
    return POSTGRESQL[type_]


def types(schema: pa.Schema) -> dict[str, str]:
    """PostgreSQL's type of each column, by its name."""
    return {field.name: postgresql(field.type) for field in schema}


def check(wanted: pa.Schema, source: pa.Schema, table: str) -> list[str]:
    """The source's name of each wanted column; SchemaMismatch names all that do not fit."""
    there = {name.lower(): name for name in source.names}
    wrong = [f"{n} is missing" for n in wanted.names if n.lower() not in there]
    for field in wanted:
        name = there.get(field.name.lower())
        if name and not _fits(source.field(name).type, field.type):
            wrong.append(f"{field.name} is {source.field(name).type}, not {field.type}")
    if wrong:
        raise SchemaMismatch(
            f"{table} in the warehouse does not fit its model: {'; '.join(wrong)}.",
            advice="Correct the broker's SQL, or the model with `manage.py inspectwarehouse`.",
        )
    return [there[name.lower()] for name in wanted.names]


def _arrow(field: "models.Field[Any, Any]") -> pa.DataType:
    if isinstance(field, models.DecimalField):
        return pa.decimal128(field.max_digits or 38, field.decimal_places or 0)
    # DateTimeField is a DateField, and BigIntegerField an IntegerField: the exact class decides.
    return ARROW[type(field)]


def _fits(source: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether every value of the source's type is one of the wanted type."""
    if pa.types.is_large_string(source) or pa.types.is_string_view(source):
        source = pa.string()
    for is_kind in (pa.types.is_signed_integer, pa.types.is_floating):
        if is_kind(source) and is_kind(wanted):
            return bool(source.bit_width <= wanted.bit_width)
    return bool(source == wanted)
