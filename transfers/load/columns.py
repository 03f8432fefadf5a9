"""Map Arrow's types to PostgreSQL's, and compare a source table's columns with its model's.

PostgreSQL's types: https://www.postgresql.org/docs/current/datatype.html
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
MISMATCH_ADVICE = "Correct the broker's SQL, or the model with `manage.py inspectwarehouse`."


def schema(model: type[MirroredTable]) -> pa.Schema:
    """Return the public columns of a model, in order."""
    return arrow_schema.schema(model.columns())


def postgresql(type_: pa.DataType) -> str:
    """Return PostgreSQL's name for an Arrow type."""
    if pa.types.is_decimal(type_):
        return f"numeric({type_.precision},{type_.scale})"
    return POSTGRESQL[type_]


def types(schema: pa.Schema) -> dict[str, str]:
    """Return PostgreSQL's type of each column, by column name."""
    return {field.name: postgresql(field.type) for field in schema}


@dataclass(frozen=True)
class Fit:
    """How the columns of a source fit the model's; each difference is one line of text."""

    names: list[str]  # the source's spelling of each column of the model, unless it is missing
    accepted: list[str]  # differences that lose nothing
    refused: list[str]  # differences that prevent a transfer


def compare(wanted: pa.Schema, source: pa.Schema) -> Fit:
    """Compare a source's columns with the wanted ones; names match in any case.

    Accepted are additional columns, and types whose values the wanted type can all represent.
    """
    existing = {field.name.lower(): field for field in source}
    pairs = [(field, existing.get(field.name.lower())) for field in wanted]
    extra = [f for f in source if f.name.lower() not in {n.lower() for n in wanted.names}]
    accepted = [f"{field.name} is new in the warehouse and is left out" for field in extra]
    refused = [_missing(field, extra) for field, match in pairs if match is None]
    for field, match in pairs:
        if match is not None and not _equal(match.type, field.type):
            fits = _fits(match.type, field.type)
            line = f"{field.name} is {match.type}, not {field.type}"
            (accepted if fits else refused).append(line + ", which can hold its values" * fits)
    return Fit([match.name for _, match in pairs if match is not None], accepted, refused)


def check(wanted: pa.Schema, source: pa.Schema, table: str) -> Fit:
    """Compare as above; SchemaMismatch names all columns that do not fit."""
    fit = compare(wanted, source)
    if fit.refused:
        raise SchemaMismatch(
            f"{table} in the warehouse does not fit its model: {'; '.join(fit.refused)}.",
            advice=MISMATCH_ADVICE,
        )
    return fit


def _missing(wanted: pa.Field, extra: list[pa.Field]) -> str:
    """Describe a missing column, and suggest an additional column as its new name."""
    alike = [field.name for field in extra if _fits(field.type, wanted.type)]
    close = difflib.get_close_matches(wanted.name, alike, n=1)
    # Suggest the only column of a fitting type, too, even if its name is not similar.
    renamed = close or (alike if len(alike) == 1 else [])
    return f"{wanted.name} is missing" + (f", perhaps renamed to {renamed[0]}" if renamed else "")


def _fits(source: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether the wanted type can represent every value of the source's type."""
    for is_kind in (pa.types.is_signed_integer, pa.types.is_floating):
        if is_kind(source) and is_kind(wanted):
            return bool(source.bit_width <= wanted.bit_width)
    return _equal(source, wanted)


def _equal(source: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether both types have the same values."""
    if pa.types.is_large_string(source) or pa.types.is_string_view(source):
        source = pa.string()
    return bool(source == wanted)
