"""Databricks SQL: names, texts, types and the figures of `transfers.verify`.

The tests run all of this on a stand-in for Databricks. Unverified on Spark itself: that decimals
become text without an exponent (they do in ANSI mode, which sessions ask for), and that `power` is
exact for whole powers of two (Java's and C's are).
"""

import pyarrow as pa

from transfers import verify
from transfers.exceptions import SchemaMismatch

TYPES = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "STRING",
    pa.large_string(): "STRING",
    pa.binary(): "BINARY",
    pa.large_binary(): "BINARY",
    pa.date32(): "DATE",
}


def name(text: str) -> str:
    return verify.quoted(text, "`")


def select(columns: str, source: str) -> str:
    return f"SELECT {columns} FROM {source}"  # noqa: S608  # names are quoted, the rest is ours


def changes(columns: list[str], key: list[str], feed: str) -> str:
    """The last change of each key in a feed, and whether it was that the row was deleted."""
    # One commit may delete a row and insert it anew.
    newest = (
        f"row_number() OVER (PARTITION BY {', '.join(map(name, key))}"
        " ORDER BY _commit_version DESC, _change_type = 'delete' ASC)"
    )
    numbered = select(f"*, {newest} AS newest", feed) + " WHERE _change_type <> 'update_preimage'"
    names = ", ".join(map(name, columns))
    asked = f"{names}, _change_type = 'delete' AS is_deleted"
    return select(asked, f"({numbered}) WHERE newest = 1")


def text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def type_of(field: pa.Field) -> str:
    """The type of a column that holds a field's values; SchemaMismatch where there is none."""
    if pa.types.is_decimal(field.type):
        return f"DECIMAL({field.type.precision},{field.type.scale})"
    if pa.types.is_timestamp(field.type):
        return "TIMESTAMP" if field.type.tz else "TIMESTAMP_NTZ"
    if field.type not in TYPES:
        raise SchemaMismatch(f"column {field.name} is {field.type}, which no table can hold.")
    return TYPES[field.type]


def order(column: str) -> str:
    """One ORDER BY item, with nulls where PostgreSQL has them."""
    if column.startswith("-"):
        return f"{name(column[1:])} DESC NULLS FIRST"
    return f"{name(column)} ASC NULLS LAST"


def _bits(value: str) -> str:
    """The 63 bits of a finite float's size, as a whole number.

    Spark has no function for it, so it is computed: of m * 2^e with 1 <= m < 2 (m < 1 for the
    smallest ones, whose e is -1022) they are e + 1022 above the 52 bits of m. log2 may be wrong by
    one, which comparing with whole powers corrects; every other step is exact.
    """
    # Where the value is 0 or not finite the result is not used, but must not overflow.
    size = f"abs(CASE WHEN {value} - {value} = 0 AND {value} <> 0 THEN {value} ELSE 1e0 END)"
    guess = f"greatest(CAST(floor(log2({size})) AS INT), -1022)"
    low = f"CASE WHEN {guess} > -1022 AND {size} < power(2e0, {guess}) THEN 1 ELSE 0 END"
    high = f"CASE WHEN {size} >= power(2e0, {guess} + 1) THEN 1 ELSE 0 END"
    exponent = f"({guess} - {low} + {high})"
    mantissa = f"CAST({size} / power(2e0, {exponent}) * 4503599627370496e0 AS BIGINT)"
    return f"{mantissa} + CAST({exponent} + 1022 AS BIGINT) * 4503599627370496"


def _float(value: str) -> str:
    infinite = "11111111111" + "0" * 52
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN isnan({value}) THEN 'NaN'"
        f" WHEN {value} = 0 THEN '0'"
        f" ELSE CASE WHEN {value} < 0 THEN '1' ELSE '0' END"
        f" || CASE WHEN {value} - {value} = 0 THEN lpad(bin({_bits(value)}), 63, '0')"
        f" ELSE '{infinite}' END END"
    )


DIALECT = verify.Dialect(
    canonical={
        "integer": "CAST({} AS STRING)",
        "decimal": "CAST({} AS STRING)",
        "float": _float("CAST({0} AS DOUBLE)"),
        "text": "length({0}) || ':' || {0}",
        "boolean": "CAST(CAST({} AS INT) AS STRING)",
        "date": "CAST(unix_date({}) AS STRING)",
        "timestamp": "CAST(unix_micros(CAST({} AS TIMESTAMP)) AS STRING)",
        "binary": "lower(hex({}))",
    },
    # Sums of BIGINT fail where they overflow.
    row_hash="CAST(conv(substr(md5({}), 1, 15), 16, 10) AS DECIMAL(20, 0))",
    whole="CAST({} AS DECIMAL(20, 0))",
    bytewise="{}",
    finite="{0} - {0} = 0",
    text_type="STRING",
    quote="`",
)
