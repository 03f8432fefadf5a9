"""Replace the months that files contain, and leave all others as they are."""

import uuid
from datetime import date, timedelta

import pyarrow as pa

from transfers.warehouses import Change, databricks_sql

from .repeats import INCOMING, RAW


def of(change: Change, table: str) -> list[date]:
    """Return the months of a table's flights, as their first days."""
    month = "CAST(date_trunc('MONTH', Flight_Date) AS DATE) AS Month"
    result = change.query(databricks_sql.select(f"DISTINCT {month}", table))
    return sorted(result["Month"].to_pylist())


def condition(months: list[date]) -> str:
    """Return SQL that holds for the flights of months."""
    periods = [f"(Flight_Date >= DATE '{m}' AND Flight_Date < DATE '{_next(m)}')" for m in months]
    return f"({' OR '.join(periods)})"


def replace(change: Change, months: list[date]) -> None:
    """Replace months of the raw table by the rows of `INCOMING`, in one step.

    SchemaMismatch if a column has another type.
    """
    incoming = _schema(change, INCOMING)
    # Creates the raw table, or the columns that it lacks.
    empty = pa.RecordBatch.from_pylist([], incoming)
    change.append(RAW, incoming, [empty], uuid.uuid4().hex)
    change.flush()
    names = {name.lower() for name in incoming.names}
    columns = [
        databricks_sql.name(field.name)
        if field.name.lower() in names
        else f"CAST(NULL AS {databricks_sql.type_of(field)})"
        for field in _schema(change, RAW)
    ]
    change.replace(RAW, condition(months), databricks_sql.select(", ".join(columns), INCOMING))


def _schema(change: Change, table: str) -> pa.Schema:
    return change.query(databricks_sql.select("*", f"{table} LIMIT 0")).schema


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
