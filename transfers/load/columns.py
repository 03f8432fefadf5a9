"""Map Arrow's types to PostgreSQL's, and compare a source table's columns with its model's.

PostgreSQL's types: https://www.postgresql.org/docs/current/datatype.html
"""

import difflib
import re
from dataclasses import dataclass

import pyarrow as pa
from psycopg import sql

from flights import arrow_schema
from flights.mirror import MirroredTable
from flights.models import TableVersion
from transfers.exceptions import SchemaMismatch

from .statements import fetch

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


def stored(version: TableVersion) -> pa.Schema:
    """Return the columns of a version's relation, in order, whatever its model has now."""
    rows = fetch(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attnum > 1"
        " AND NOT attisdropped AND attrelid = to_regclass(quote_ident({})) ORDER BY attnum",
        sql.Literal(version.relation),
    )
    return pa.schema([(name, _arrow(type_)) for name, type_ in rows])


def _arrow(postgresql_type: str) -> pa.DataType:
    if match := re.fullmatch(r"numeric\((\d+),(\d+)\)", postgresql_type):
        return pa.decimal128(int(match[1]), int(match[2]))
    name = postgresql_type.removesuffix(" without time zone")
    return next(type_ for type_, sql_type in POSTGRESQL.items() if sql_type == name)


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
    """Compare a source's columns with the wanted ones.

    Names match in any case, and with `_` for each character that a model's name cannot have.
    Accepted are additional columns, and types whose values the wanted type can all represent.
    """
    existing = {_plain(f.name): f for f in source} | {f.name.lower(): f for f in source}
    pairs = [(f, existing.get(f.name.lower()) or existing.get(_plain(f.name))) for f in wanted]
    matches = {match.name for _, match in pairs if match is not None}
    extra = [f for f in source if f.name not in matches]
    accepted = [_left_out(field) for field in extra]
    refused = [_missing(field, extra) for field, match in pairs if match is None]
    for field, match in pairs:
        if match is not None and not _equal(match.type, field.type):
            fits = _fits(match.type, field.type)
            line = f"{field.name} is {match.type}, not {field.type}"
            line += ", which can hold its values" * fits + _as_json(match.type) * (not fits)
            (accepted if fits else refused).append(line)
    return Fit([match.name for _, match in pairs if match is not None], accepted, refused)


def _plain(name: str) -> str:
    return re.sub(r"\W", "_", name.lower())


def check(wanted: pa.Schema, source: pa.Schema, table: str) -> Fit:
    """Return what `compare` returns; SchemaMismatch names all columns that do not fit."""
    fit = compare(wanted, source)
    if fit.refused:
        raise SchemaMismatch(
            f"{table} in the warehouse does not fit its model: {'; '.join(fit.refused)}.",
            advice=MISMATCH_ADVICE,
        )
    return fit


def _left_out(field: pa.Field) -> str:
    line = f"{field.name} is new in the warehouse and is left out"
    return line if is_storable(field.type) else f"{line}: {field.type}{_as_json(field.type)}"


def _as_json(type_: pa.DataType) -> str:
    """The remedy for a column whose type has no counterpart."""
    if is_storable(type_):
        return ""
    return " has no type of its own here, and can be carried as JSON by Mirror.json"


def is_storable(type_: pa.DataType) -> bool:
    """Whether PostgreSQL stores the values of a type in one of the types above."""
    alike = (pa.types.is_decimal, pa.types.is_large_string, pa.types.is_integer)
    more = (pa.types.is_string_view, pa.types.is_floating)
    return type_ in POSTGRESQL or any(is_kind(type_) for is_kind in (*alike, *more))


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
