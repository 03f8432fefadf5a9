"""Write the project's list of airports into the warehouse, where `airports.sql` reads it."""

import pyarrow as pa

from transfers.warehouses import databricks_sql

NAME = "airport_list"
SCHEMA = pa.schema(
    [
        ("Code", pa.string()),
        ("Airport_Name", pa.string()),
        ("State", pa.string()),
        ("Latitude", pa.float64()),
        ("Longitude", pa.float64()),
        ("Time_Zone", pa.string()),
    ]
)


def sql() -> str:
    """Return the SQL statement that makes the table."""
    # The first row has no values, only types.
    types = [f"CAST(NULL AS {databricks_sql.type_of(field)})" for field in SCHEMA]
    rows = [types, *([_literal(value) for value in row.values()] for row in _airports().to_pylist())]
    values = ",\n  ".join(f"({', '.join(row)})" for row in rows)
    return (
        f"CREATE OR REPLACE TABLE {NAME} AS\n"
        f"SELECT * FROM (VALUES\n  {values}\n) AS list({', '.join(SCHEMA.names)})"
    )


def _airports() -> pa.Table:
    return SCHEMA.empty_table()


def _literal(value: str | float | None) -> str:
    if value is None:
        return "NULL"
    return databricks_sql.text(value) if isinstance(value, str) else f"{value!r}e0"
