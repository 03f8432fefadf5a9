"""Split the rows of a DuckDB table into parts, to sort one after the other.

Sorting 2.4 million flights at once takes 600 MB, sorting them in parts takes no more time. So the
memory of a read does not grow with the table.
"""

from collections.abc import Iterator
from itertools import pairwise

import duckdb

from transfers.identifiers import quoted

PART_ROWS = 50_000  # rows of a part, on average
SAMPLE_ROWS = 200  # values in the sample for each part

# Values that divide a sample into parts of equal size, except for the greatest. They are texts,
# because not every type has a Python object.
BOUNDS = """
SELECT CAST(bound AS VARCHAR) FROM (
    SELECT DISTINCT max(value) AS bound FROM (
        SELECT value, ntile({parts}) OVER (ORDER BY value) AS part
        FROM (SELECT {column} AS value FROM {table} USING SAMPLE reservoir({sample} ROWS))
        WHERE value IS NOT NULL)
    GROUP BY part)
ORDER BY bound"""

type Part = tuple[str, dict[str, str]]  # a condition and its parameters


def parts(
    connection: duckdb.DuckDBPyConnection, table: str, rows: int, column: str
) -> Iterator[Part]:
    """Return parts in the order of a column ("-": descending), with nulls as the greatest values.

    `table` is quoted. Any bounds give the same order, so a sample suffices to choose them. Equal
    values are always in one part.
    """
    name, number = quoted(column.removeprefix("-")), -(-rows // PART_ROWS)
    bounds = _bounds(connection, table, name, number)
    ordered = list(_between(name, _type(connection, table, name), bounds))
    return iter(ordered[::-1] if column.startswith("-") else ordered)


def _bounds(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, number: int
) -> list[str]:
    if number <= 1:
        return []
    sql = BOUNDS.format(parts=number, column=column, table=table, sample=number * SAMPLE_ROWS)
    return [bound for (bound,) in connection.execute(sql).fetchall()][:-1]


def _type(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> str:
    return str(connection.sql(f"SELECT {column} FROM {table} LIMIT 0").types[0])  # noqa: S608


def _between(column: str, type_: str, bounds: list[str]) -> Iterator[Part]:
    low, high = f"{column} > CAST($low AS {type_})", f"{column} <= CAST($high AS {type_})"
    if not bounds:
        yield "true", {}
        return
    yield high, {"high": bounds[0]}
    for one, other in pairwise(bounds):
        yield f"{low} AND {high}", {"low": one, "high": other}
    yield f"({low} OR {column} IS NULL)", {"low": bounds[-1]}
