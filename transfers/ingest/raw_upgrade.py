"""Upgrade a raw table that an earlier release made to the columns of `raw_columns.COLUMNS`.

Missing columns are added, and columns of other types are converted. All other columns stay. A value
that cannot be converted becomes null; its column then stays, too, as `NAME_before_upgrade`.
"""

from dataclasses import dataclass

import pyarrow as pa

from transfers import warehouses
from transfers.warehouses import Change, spark_sql

from .raw_columns import COLUMNS, TIMES

# The names of columns in the demo data of earlier releases.
EARLIER_NAMES = {
    "Airline_Code": "Carrier",
    "Origin": "Origin_Airport",
    "Destination": "Destination_Airport",
    "Air_Minutes": "Air_Time_Minutes",
}

# SQL of each step; {column} is a column of the raw table. Each step reads those before it.
TEXT = "lower(trim(CAST({source} AS STRING))) AS upgrade_text_{column}"
NUMBER = "try_cast(upgrade_text_{column} AS DOUBLE) AS upgrade_number_{column}"
# A time of 05:17 or 05:17:00 is the number 517.
HHMM = (
    "try_cast(replace(CASE WHEN upgrade_text_{column} LIKE '%:%'"
    " THEN substr(upgrade_text_{column}, 1, 5) ELSE upgrade_text_{column} END, ':', '') AS DOUBLE)"
    " AS upgrade_number_{column}"
)
IS_NULL = r"({source} IS NULL OR upgrade_text_{column} IN ('', 'na', 'nan', 'null', '\\n'))"
# Casts of fractions to whole numbers differ between warehouses, so a fraction is not converted.
WHOLE = (
    "CASE WHEN abs(upgrade_number_{column}) <= 2147483647"
    " AND upgrade_number_{column} = floor(upgrade_number_{column})"
    " THEN CAST(upgrade_number_{column} AS INT) END"
)
STRING = f"coalesce(CAST({WHOLE} AS STRING), CAST({{source}} AS STRING))"
FLAG = (
    "CASE WHEN upgrade_text_{column} IN ('true', 't', 'yes', 'y') OR upgrade_number_{column} = 1"
    " THEN true"
    " WHEN upgrade_text_{column} IN ('false', 'f', 'no', 'n') OR upgrade_number_{column} = 0"
    " THEN false END"
)
DIGITS = "lpad(CAST(CAST(upgrade_number_{column} AS INT) % 2400 AS STRING), 4, '0')"
TIME = (
    "CASE WHEN upgrade_number_{column} BETWEEN 0 AND 2400"
    " AND upgrade_number_{column} = floor(upgrade_number_{column})"
    " AND upgrade_number_{column} % 100 < 60"
    f" THEN substr({DIGITS}, 1, 2) || ':' || substr({DIGITS}, 3, 2) END"
)
DATE = "try_cast({source} AS DATE)"


@dataclass(frozen=True)
class Column:
    """A column of the upgraded table, and the SQL that fills it."""

    name: str
    sql: str
    source: str = ""  # the quoted column that is converted

    def filled(self, template: str) -> str:
        return template.format(column=self.name, source=self.source)


def upgrade(change: Change, table: str) -> bool:
    """Upgrade the raw table in one statement; False if it has all columns already."""
    schema = warehouses.schema(change, table)
    if _is_current(schema):
        return False
    columns = [_column(name, type_, schema) for name, type_ in COLUMNS.items()]
    rows = _steps(table, [column for column in columns if column.source])
    names = {name.lower() for name in COLUMNS}
    others = [spark_sql.name(name) for name in schema.names if name.lower() not in names]
    raw = [
        f"{column.source} AS {column.name}_before_upgrade"
        for column in _incomplete(change, rows, columns)
    ]
    items = ", ".join([*(f"{column.sql} AS {column.name}" for column in columns), *others, *raw])
    change.execute(f"CREATE OR REPLACE TABLE {table} AS {spark_sql.select(items, rows)}")
    return True


def _is_current(schema: pa.Schema) -> bool:
    types = {field.name: spark_sql.type_of(field) for field in schema if field.name in COLUMNS}
    return types == {name: _type(type_) for name, type_ in COLUMNS.items()}


def _column(name: str, type_: pa.DataType, schema: pa.Schema) -> Column:
    fields = {field.name.lower(): field for field in schema}
    field = fields.get(name.lower()) or fields.get(EARLIER_NAMES.get(name, "").lower())
    if field is None:
        return Column(name, "true" if name == "Has_Arrivals" else f"CAST(NULL AS {_type(type_)})")
    source = spark_sql.name(field.name)
    if name not in TIMES and spark_sql.type_of(field) == _type(type_):
        return Column(name, source)
    return Column(name, _conversion(name, type_).format(column=name, source=source), source)


def _conversion(name: str, type_: pa.DataType) -> str:
    """Return SQL that converts a column; null where a value cannot be converted."""
    if name in TIMES:
        return TIME
    if pa.types.is_date(type_):
        return DATE
    if pa.types.is_boolean(type_):
        return FLAG
    return WHOLE if pa.types.is_integer(type_) else STRING


def _steps(table: str, columns: list[Column]) -> str:
    """Return a subquery that adds the text and the number of the values to convert."""
    texts = [column.filled(TEXT) for column in columns]
    numbers = [column.filled(HHMM if column.name in TIMES else NUMBER) for column in columns]
    inner = spark_sql.select(", ".join(["*", *texts]), table)
    return f"({spark_sql.select(', '.join(['*', *numbers]), f'({inner})')})"


def _incomplete(change: Change, rows: str, columns: list[Column]) -> list[Column]:
    """Return the columns with a value that cannot be converted."""
    converted = [column for column in columns if column.source]
    counts = [
        f"count(*) FILTER (WHERE {column.sql} IS NULL AND NOT {column.filled(IS_NULL)})"
        f" AS {column.name}"
        for column in converted
    ]
    result = change.query(spark_sql.select(", ".join(["count(*) AS Records", *counts]), rows))
    (row,) = result.to_pylist()
    return [column for column in converted if row[column.name]]


def _type(type_: pa.DataType) -> str:
    return spark_sql.type_of(pa.field("", type_))
