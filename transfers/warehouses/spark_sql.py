"""Write SQL for Databricks and Spark: names, texts, types, orders and changes.

Language reference: https://docs.databricks.com/aws/en/sql/language-manual/
"""

import re

import pyarrow as pa

from transfers.exceptions import SchemaMismatch
from transfers.identifiers import quoted

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
    return quoted(text, "`")


def table(path: str) -> str:
    """Quote the name of a table: `table`, `schema.table` or `catalog.schema.table`.

    A part with a dot stands in backticks, as in SQL.
    """
    return ".".join(map(name, parts(path)))


def parts(path: str) -> list[str]:
    """Split the name of a table at its dots."""
    matches = re.findall(r"`((?:[^`]|``)*)`|([^.`]+)", path)
    return [quoted.replace("``", "`") or plain for quoted, plain in matches]


def select(columns: str, source: str) -> str:
    return f"SELECT {columns} FROM {source}"  # noqa: S608  # names are quoted, the rest is constant


def changes(columns: str, key: list[str], feed: str) -> str:
    """Select the last change of each key in a change data feed, with `is_deleted`.

    Format of the feed: https://docs.databricks.com/aws/en/delta/delta-change-data-feed
    """
    # One commit may both delete and insert a key; the insertion is the later change.
    newest = (
        f"row_number() OVER (PARTITION BY {', '.join(map(name, key))}"
        " ORDER BY _commit_version DESC, _change_type = 'delete' ASC)"
    )
    numbered = select(f"*, {newest} AS newest", feed) + " WHERE _change_type <> 'update_preimage'"
    return select(
        f"{columns}, _change_type = 'delete' AS is_deleted", f"({numbered}) WHERE newest = 1"
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


def order(value: str, *, descending: bool) -> str:
    """Write one ORDER BY item, with nulls sorted as in PostgreSQL."""
    return f"{value} DESC NULLS FIRST" if descending else f"{value} ASC NULLS LAST"
