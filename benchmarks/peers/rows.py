"""Copy the measured table for the peers: into PostgreSQL, SQLite and Parquet."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet
from psycopg import sql

from benchmarks.queries import COLUMNS, TABLE
from benchmarks.target import Target

SCHEMA = "peers"


def copy(target: Target, folder: Path) -> str:
    """Copy the rows; return a PostgreSQL URL whose schema has them in an ordinary table."""
    names = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    relation = sql.Identifier(target.relation(TABLE))
    own = sql.Identifier(SCHEMA, TABLE)
    with psycopg.connect(target.database) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCHEMA)))
        connection.execute(
            sql.SQL("CREATE TABLE {} AS SELECT {} FROM {} ORDER BY id").format(own, names, relation)
        )
        connection.execute(sql.SQL('ALTER TABLE {} ADD PRIMARY KEY ("City")').format(own))
        rows = connection.execute(sql.SQL("SELECT * FROM {}").format(own)).fetchall()
    _sqlite(folder / "rows.db", rows)
    columns = [list(values) for values in zip(*rows, strict=True)]
    pa.parquet.write_table(pa.table(columns, list(COLUMNS)), folder / "rows.parquet")
    return f"{target.database}&options=-csearch_path%3D{SCHEMA}"


def _sqlite(file: Path, rows: list[tuple[object, ...]]) -> None:
    types = {str: "TEXT", int: "INTEGER", float: "REAL"}
    columns = (f'"{n}" {types[type(value)]}' for n, value in zip(COLUMNS, rows[0], strict=True))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(f"CREATE TABLE {TABLE} ({', '.join(columns)})")
        placeholders = ", ".join("?" * len(COLUMNS))
        connection.executemany(f"INSERT INTO {TABLE} VALUES ({placeholders})", rows)
