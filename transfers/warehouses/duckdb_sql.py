"""Write SQL for DuckDB, and read the catalogue of a warehouse's file."""

from functools import lru_cache

import duckdb
import sqlglot
from sqlglot import exp

from transfers.identifiers import quoted

from . import missing


@lru_cache(64)  # a build repeats the statements of the last one; to translate takes half its time
def translate(sql: str) -> tuple[str, str]:
    """Return a Databricks statement in DuckDB's SQL, and the first table that it names or ""."""
    statement = sqlglot.parse_one(sql, read="databricks")
    table = statement.find(exp.Table)
    return statement.sql("duckdb", copy=False), table.name if table else ""


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    sql = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' ORDER BY ALL"
    return [name for (name,) in connection.sql(sql).fetchall()]


def version(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    existing = tables(connection)
    if table not in existing:
        raise missing(table, existing)
    sql = "SELECT version FROM airsense.versions WHERE name = ?"
    ((version,),) = connection.execute(sql, [table]).fetchall()
    return str(version)


def sorting(name: str) -> str:
    """Write one ORDER BY item ("-": descending), with nulls sorted as in PostgreSQL."""
    if name.startswith("-"):
        return f"{quoted(name[1:])} DESC NULLS FIRST"
    return f"{quoted(name)} ASC NULLS LAST"
