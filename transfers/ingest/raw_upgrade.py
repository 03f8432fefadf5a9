"""Upgrade a raw table that an earlier release made to the columns of `raw_columns.COLUMNS`.

Missing columns are added, and columns of other types are converted. All other columns stay. A value
that cannot be converted becomes null; its column then stays, too, as `NAME_before_upgrade`.
"""

from dataclasses import dataclass

import pyarrow as pa

from transfers.warehouses import Change, databricks_sql

from .raw_columns import COLUMNS

# The names of columns in the demo data of earlier releases.
EARLIER_NAMES = {
    "Airline_Code": "Carrier",
    "Origin": "Origin_Airport",
    "Destination": "Destination_Airport",
    "Air_Minutes": "Air_Time_Minutes",
}
TIMES = ("Scheduled_Departure", "Scheduled_Arrival")

# SQL for a value; {0} is its column, {1} its text in lower case.
TEXT = "lower(trim(CAST({0} AS STRING)))"
IS_NULL = r"({0} IS NULL OR {1} IN ('', 'na', 'nan', 'null', '\\n'))"
# Casts of fractions to whole numbers differ between warehouses, so a fraction is not converted.
WHOLE = (
    "CASE WHEN abs(try_cast({1} AS DOUBLE)) <= 2147483647"
    " AND try_cast({1} AS DOUBLE) = floor(try_cast({1} AS DOUBLE))"
    " THEN CAST(try_cast({1} AS DOUBLE) AS INT) END"
)
FLAG = (
    "CASE WHEN {1} IN ('true', 't', 'yes', 'y') OR try_cast({1} AS DOUBLE) = 1 THEN true"
    " WHEN {1} IN ('false', 'f', 'no', 'n') OR try_cast({1} AS DOUBLE) = 0 THEN false END"
)
# 05:17, 5:17 and 05:17:00 are 517 as well.
HHMM = "replace(CASE WHEN {1} LIKE '%:%' THEN substr({1}, 1, 5) ELSE {1} END, ':', '')"
TIME = (
    "CASE WHEN {0} BETWEEN 0 AND 2400 AND {0} % 100 < 60 THEN"
    " substr(lpad(CAST({0} % 2400 AS STRING), 4, '0'), 1, 2) || ':' ||"
    " substr(lpad(CAST({0} % 2400 AS STRING), 4, '0'), 3, 2) END"
)


@dataclass(frozen=True)
class Column:
    """A column of the upgraded table, and the SQL that fills it."""

    name: str
    sql: str
    source: str = ""  # quoted name of a column whose values might not be converted


def upgrade(change: Change, table: str) -> bool:
    """Upgrade the raw table in one statement; False if it has all columns already."""
    schema = change.query(databricks_sql.select("*", f"{table} LIMIT 0")).schema
    if _is_current(schema):
        return False
    columns = [_column(name, type_, schema) for name, type_ in COLUMNS.items()]
    names = {name.lower() for name in COLUMNS}
    others = [databricks_sql.name(name) for name in schema.names if name.lower() not in names]
    kept = [
        f"{column.source} AS {databricks_sql.name(f'{column.name}_before_upgrade')}"
        for column in _incomplete(change, table, columns)
    ]
    items = ", ".join([*(f"{column.sql} AS {column.name}" for column in columns), *others, *kept])
    change.execute(f"CREATE OR REPLACE TABLE {table} AS {databricks_sql.select(items, table)}")
    return True


def _is_current(schema: pa.Schema) -> bool:
    types = {field.name: databricks_sql.type_of(field) for field in schema if field.name in COLUMNS}
    return types == {name: _type(type_) for name, type_ in COLUMNS.items()}


def _column(name: str, type_: pa.DataType, schema: pa.Schema) -> Column:
    fields = {field.name.lower(): field for field in schema}
    field = fields.get(name.lower()) or fields.get(EARLIER_NAMES.get(name, "").lower())
    if field is None:
        return Column(name, "true" if name == "Has_Arrivals" else f"CAST(NULL AS {_type(type_)})")
    source = databricks_sql.name(field.name)
    if name not in TIMES and databricks_sql.type_of(field) == _type(type_):
        return Column(name, source)
    return Column(name, _converted(name, source, type_), source)


def _converted(name: str, source: str, type_: pa.DataType) -> str:
    """Return SQL that converts a column; null where a value cannot be converted."""
    text = TEXT.format(source)
    whole = WHOLE.format(source, text)
    if name in TIMES:
        return TIME.format(f"({WHOLE.format(source, HHMM.format(source, text))})")
    if pa.types.is_date(type_):
        return f"try_cast({source} AS DATE)"
    if pa.types.is_boolean(type_):
        return FLAG.format(source, text)
    if pa.types.is_integer(type_):
        return whole
    return f"coalesce(CAST({whole} AS STRING), CAST({source} AS STRING))"


def _incomplete(change: Change, table: str, columns: list[Column]) -> list[Column]:
    """Return the columns with a value that cannot be converted."""
    converted = [column for column in columns if column.source]
    if not converted:
        return []
    counts = ", ".join(
        f"count(*) FILTER (WHERE {column.sql} IS NULL"
        f" AND NOT {IS_NULL.format(column.source, TEXT.format(column.source))}) AS {column.name}"
        for column in converted
    )
    (row,) = change.query(databricks_sql.select(counts, table)).to_pylist()
    return [column for column in converted if row[column.name]]


def _type(type_: pa.DataType) -> str:
    return databricks_sql.type_of(pa.field("", type_))
