"""The types that a transfer carries: Arrow's and PostgreSQL's name for each.

And how the columns of a table in the warehouse fit those of its model.
"""

import difflib
from dataclasses import dataclass

import pyarrow as pa

from flights import arrow_schema
from flights.mirror import MirroredTable
from transfers.exceptions import SchemaMismatch

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
REFUSED = "Correct the broker's SQL, or the model with `manage.py inspectwarehouse`."


def schema(model: type[MirroredTable]) -> pa.Schema:
    """The public columns of a model, in order."""
    return arrow_schema.schema(model.columns())


def postgresql(type_: pa.DataType) -> str:
    if pa.types.is_decimal(type_):
        return f"numeric({type_.precision},{type_.scale})"
    return POSTGRESQL[type_]


def types(schema: pa.Schema) -> dict[str, str]:
    """PostgreSQL's type of each column, by its name."""
    return {field.name: postgresql(field.type) for field in schema}


@dataclass(frozen=True)
class Fit:
    """How a source's columns fit those that are wanted; each difference is one line."""

    names: list[str]  # the source's name of each wanted column, if nothing is refused
    accepted: list[str]
    refused: list[str]


def compare(wanted: pa.Schema, source: pa.Schema) -> Fit:
    """Safe are columns that nobody wants, and types whose every value the wanted type can hold."""
    there = {field.name.lower(): field for field in source}
    pairs = [(field, there.get(field.name.lower())) for field in wanted]
    extra = [f for f in source if f.name.lower() not in {n.lower() for n in wanted.names}]
    accepted = [f"{field.name} is new in the warehouse, and left out" for field in extra]
    refused = [_missing(field, extra) for field, found in pairs if found is None]
    for field, found in pairs:
        if found is not None and not _equal(found.type, field.type):
            fits = _fits(found.type, field.type)
            line = f"{field.name} is {found.type}, not {field.type}"
            (accepted if fits else refused).append(line + ", which holds all its values" * fits)
    return Fit([found.name for _, found in pairs if found is not None], accepted, refused)


def check(wanted: pa.Schema, source: pa.Schema, table: str) -> Fit:
    """SchemaMismatch names all columns that do not fit."""
    fit = compare(wanted, source)
    if fit.refused:
        raise SchemaMismatch(
            f"{table} in the warehouse does not fit its model: {'; '.join(fit.refused)}.",
            advice=REFUSED,
        )
    return fit


def _missing(wanted: pa.Field, extra: list[pa.Field]) -> str:
    """A column that is missing, and which other one may be it under a new name."""
    alike = [field.name for field in extra if _fits(field.type, wanted.type)]
    close = difflib.get_close_matches(wanted.name, alike, n=1)
    # The only one that could be it is named too, however it is called now.
    renamed = close or (alike if len(alike) == 1 else [])
    return f"{wanted.name} is missing" + (f", perhaps renamed to {renamed[0]}" if renamed else "")


def _fits(source: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether every value of the source's type is one of the wanted type."""
    for is_kind in (pa.types.is_signed_integer, pa.types.is_floating):
        if is_kind(source) and is_kind(wanted):
            return bool(source.bit_width <= wanted.bit_width)
    return _equal(source, wanted)


def _equal(source: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether both hold the same values."""
    if pa.types.is_large_string(source) or pa.types.is_string_view(source):
        source = pa.string()
    return bool(source == wanted)
