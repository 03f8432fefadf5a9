"""The SQL that writes the project's list of airports into the warehouse, for `airports.sql`."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from transfers import reference
from transfers.ingest.raw_table import RAW
from transfers.warehouses import spark_sql

NAME = "airport_list"
# The codes to list: all airports would be thousands of values, whose SQL takes a second to parse.
CODES = f"SELECT Origin AS Code FROM {RAW} UNION SELECT Destination FROM {RAW}"  # noqa: S608


def sql(codes: Iterable[str | None] | None = None) -> str:
    """Return the SQL statement that makes the table; with codes, of these airports only."""
    airports = selected = reference.airports()
    if codes is not None:
        selected = airports.filter(pc.is_in(airports["Code"], pa.array(codes, pa.string())))
    # The first row has no values. It gives the columns their types.
    types = [f"CAST(NULL AS {spark_sql.type_of(field)})" for field in airports.schema]
    rows = [types, *(map(_literal, row.values()) for row in selected.to_pylist())]
    values = ",\n  ".join(f"({', '.join(row)})" for row in rows)
    columns = ", ".join(airports.column_names)
    return (
        f"CREATE OR REPLACE TABLE {NAME} AS\n"
        f"SELECT * FROM (VALUES\n  {values}\n) AS airport({columns})\n"
    )


def _literal(value: str | float | None) -> str:
    if value is None:
        return "NULL"
    return spark_sql.text(value) if isinstance(value, str) else f"{value!r}e0"
