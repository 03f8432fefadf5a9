"""Write Databricks SQL: names, texts, types and the figures of `transfers.verify`.

Language reference: https://docs.databricks.com/aws/en/sql/language-manual/

The tests run this SQL on a substitute for Databricks. Two assumptions are not verified on Spark:
that decimals become text without an exponent (documented for ANSI mode, which sessions set), and
that `power` is exact for integer powers of two (as in Java and C).
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
    """Quote an identifier."""
    return verify.quoted(text, "`")


def select(columns: str, source: str) -> str:
    return f"SELECT {columns} FROM {source}"  # noqa: S608  # names are quoted, the rest is constant


def changes(columns: list[str], key: list[str], feed: str) -> str:
    """Select the last change of each key in a change data feed, with `is_deleted`.

    Format of the feed: https://docs.databricks.com/aws/en/delta/delta-change-data-feed
    """
    # One commit may both delete and insert a key; the insertion is the later change.
    newest = (
        f"row_number() OVER (PARTITION BY {', '.join(map(name, key))}"
        " ORDER BY _commit_version DESC, _change_type = 'delete' ASC)"
    )
    numbered = select(f"*, {newest} AS newest", feed) + " WHERE _change_type <> 'update_preimage'"
    names = ", ".join(map(name, columns))
    return select(
        f"{names}, _change_type = 'delete' AS is_deleted", f"({numbered}) WHERE newest = 1"
    )


def text(value: str) -> str:
    """Quote a text literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def type_of(field: pa.Field) -> str:
    """Return the column type for a field; SchemaMismatch if Databricks has none."""
    if pa.types.is_decimal(field.type):
        return f"DECIMAL({field.type.precision},{field.type.scale})"
    if pa.types.is_timestamp(field.type):
        return "TIMESTAMP" if field.type.tz else "TIMESTAMP_NTZ"
    if field.type not in TYPES:
        raise SchemaMismatch(f"column {field.name} is {field.type}, which Databricks cannot store.")
    return TYPES[field.type]


def order(column: str) -> str:
    """Write one ORDER BY item ("-": descending), with nulls sorted as in PostgreSQL."""
    if column.startswith("-"):
        return f"{name(column[1:])} DESC NULLS FIRST"
    return f"{name(column)} ASC NULLS LAST"


def _let(variable: str, value: str, expression: str) -> str:
    """Name a value in an expression, so that the SQL has its text only once."""
    return f"element_at(transform(array({value}), {variable} -> {expression}), 1)"


# The 63 bits of a finite double `v` without its sign, as an integer (IEEE 754). Spark has no
# function for this. A double is m * 2^e with 1 <= m < 2, or m < 1 for subnormal numbers, whose e is
# -1022. Its bits are e + 1022 times 2^52, plus m times 2^52. log2 may be wrong by one, so the
# exponent is corrected by comparison; all other steps are exact. The result is unused for 0 and for
# infinite values, but the SQL must not overflow for them.
SIZE = "abs(CASE WHEN v - v = 0 AND v <> 0 THEN v ELSE 1e0 END)"
GUESS = "greatest(CAST(floor(log2(s)) AS INT), -1022)"
EXPONENT = (
    "g - CASE WHEN g > -1022 AND s < power(2e0, g) THEN 1 ELSE 0 END"
    " + CASE WHEN s >= power(2e0, g + 1) THEN 1 ELSE 0 END"
)
BITS = (
    "CAST(s / power(2e0, e) * 4503599627370496e0 AS BIGINT)"
    " + CAST(e + 1022 AS BIGINT) * 4503599627370496"
)


def _float(value: str) -> str:
    """Write a double as its 64 bits, as PostgreSQL's and DuckDB's dialects do."""
    bits = _let("s", SIZE, _let("g", GUESS, _let("e", EXPONENT, BITS)))
    infinite = "11111111111" + "0" * 52
    text = (
        "CASE WHEN v IS NULL THEN NULL WHEN isnan(v) THEN 'NaN' WHEN v = 0 THEN '0'"
        f" ELSE CASE WHEN v < 0 THEN '1' ELSE '0' END || CASE WHEN v - v = 0"
        f" THEN lpad(bin({bits}), 63, '0') ELSE '{infinite}' END END"
    )
    return _let("v", value, text)


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
    # DECIMAL, because sums of BIGINT overflow.
    row_hash="CAST(conv(substr(md5({}), 1, 15), 16, 10) AS DECIMAL(20, 0))",
    whole="CAST({} AS DECIMAL(20, 0))",
    bytewise="{}",
    finite="{0} - {0} = 0",
    text_type="STRING",
    quote="`",
)
