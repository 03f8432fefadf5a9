"""Replace the months that files contain, and leave all others as they are."""

import uuid
from datetime import date, timedelta

import pyarrow as pa

from transfers import warehouses
from transfers.warehouses import Change, spark_sql

from .repeats import RAW


def of(change: Change, table: str) -> list[date]:
    """Return the months of a table's flights, as their first days."""
    month = "CAST(date_trunc('MONTH', Flight_Date) AS DATE) AS Month"
    result = change.query(spark_sql.select(f"DISTINCT {month}", table))
    return sorted(result["Month"].to_pylist())


def following(day: date) -> date:
    """Return the first day of the next month."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def condition(months: list[date]) -> str:
    """Return the SQL condition of the flights in months."""
    periods = [
        f"(Flight_Date >= DATE '{m}' AND Flight_Date < DATE '{following(m)}')" for m in months
    ]
    return f"({' OR '.join(periods)})"


def replace(change: Change, months: list[date], incoming: str) -> None:
    """Replace months of the raw table by the rows of the table `incoming`, in one step.

    SchemaMismatch if a column has another type.
    """
    schema = warehouses.schema(change, incoming)
    # Creates the raw table, or the columns that it lacks.
    empty = pa.RecordBatch.from_pylist([], schema)
    change.append(RAW, schema, [empty], uuid.uuid4().hex)
    change.flush()
    names = {name.lower() for name in schema.names}
    columns = [
        spark_sql.name(field.name)
        if field.name.lower() in names
        else f"CAST(NULL AS {spark_sql.type_of(field)})"
        for field in warehouses.schema(change, RAW)
    ]
    change.replace(RAW, condition(months), spark_sql.select(", ".join(columns), incoming))
