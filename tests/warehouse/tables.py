"""Tables in a DuckDB file that, like Delta tables, store all their versions.

Each version is a separate DuckDB table that never changes, so readers and writers do not conflict.
"""

import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb

SETUP = """
SET TimeZone = 'UTC';
CREATE SCHEMA IF NOT EXISTS versions;
CREATE TABLE IF NOT EXISTS schemas (catalog TEXT, name TEXT, PRIMARY KEY (catalog, name));
-- `made` is the time of the commit in microseconds since 1970; `relation` is SQL.
CREATE TABLE IF NOT EXISTS log (
  catalog TEXT, schema TEXT, name TEXT, version BIGINT, made BIGINT, operation TEXT,
  relation TEXT);
CREATE TABLE IF NOT EXISTS properties (relation TEXT, name TEXT, value TEXT);
-- The files that COPY INTO has loaded.
CREATE TABLE IF NOT EXISTS loaded (catalog TEXT, schema TEXT, name TEXT, path TEXT);
-- Functions of Spark that DuckDB lacks.
CREATE OR REPLACE MACRO spark_text(value) AS
  CASE WHEN typeof(value) LIKE 'DECIMAL%'  -- DuckDB writes .5 for 0.5 if the scale allows it
  THEN regexp_replace(CAST(value AS VARCHAR), '^(-?)\\.', '\\10.') ELSE CAST(value AS VARCHAR) END;
CREATE OR REPLACE MACRO conv(digits, old, new) AS CAST('0x' || digits AS UBIGINT)::VARCHAR;
"""


class SqlError(Exception):
    """The error of a statement, with Databricks' error class (`kind`) and SQLSTATE (`state`)."""

    def __init__(self, kind: str, message: str, state: str = "42000") -> None:
        super().__init__(f"[{kind}] {message} SQLSTATE: {state}")
        self.state = state


class Name(NamedTuple):
    """The full name of a table or a volume."""

    catalog: str
    schema: str
    table: str

    def __str__(self) -> str:
        return ".".join(self)


class Version(NamedTuple):
    """A version of a table."""

    number: int
    committed_at: int  # microseconds since 1970
    operation: str  # such as CREATE TABLE or INSERT
    relation: str  # the quoted name of its DuckDB table


class Tables:
    """The tables of a warehouse, with their versions and properties."""

    def __init__(self, folder: Path) -> None:
        self.database = duckdb.connect(str(folder / "warehouse.duckdb"))
        self.database.execute(SETUP)
        self.lock = threading.RLock()
        self.views: dict[Name, str] = {}  # their queries
        self.without_history: dict[str, str] = {}  # the error for each table without versions

    def add_schema(self, catalog: str, schema: str) -> None:
        self.database.cursor().execute(
            "INSERT OR IGNORE INTO schemas VALUES (?, ?)", [catalog, schema]
        )

    def schemas(self) -> list[tuple[str, str]]:
        return self.database.cursor().execute("FROM schemas ORDER BY ALL").fetchall()

    def names(self) -> list[Name]:
        sql = "SELECT DISTINCT catalog, schema, name FROM log ORDER BY ALL"
        return [Name(*row) for row in self.database.cursor().execute(sql).fetchall()]

    def exists(self, name: Name) -> bool:
        return name in self.names()

    def check_history(self, name: Name) -> None:
        """SqlError if a table has versions that may not be read, or none."""
        if name in self.views:
            problem = f"'DESCRIBE HISTORY' expects a table but {name} is a view."
            raise SqlError("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", problem, "42809")
        if error := self.without_history.get(name.table):
            raise SqlError(*error.split(": ", 1))

    def versions(self, name: Name) -> list[Version]:
        """Return all versions of a table, newest first; SqlError if there is no such table."""
        sql = "SELECT version, made, operation, relation FROM log WHERE (catalog, schema, name) = "
        rows = self.database.cursor().execute(f"{sql} (?, ?, ?) ORDER BY 1 DESC", name)
        versions = [Version(*row) for row in rows.fetchall()]
        if not versions:
            label = "`.`".join(name)
            raise SqlError(
                "TABLE_OR_VIEW_NOT_FOUND", f"The table or view `{label}` cannot be found.", "42P01"
            )
        return versions

    def at(self, name: Name, number: int | None = None) -> Version:
        """Return a version, by default the newest; SqlError if it does not exist."""
        versions = self.versions(name)
        if number is None:
            return versions[0]
        for version in versions:
            if version.number == number:
                return version
        raise SqlError(
            "DELTA_VERSION_NOT_FOUND",
            f"Cannot time travel Delta table to version {number}."
            f" Available versions: [{versions[-1].number}, {versions[0].number}].",
            "22003",
        )

    def columns(self, name: Name) -> list[tuple[str, str]]:
        """Return the name and the DuckDB type of each column of the newest version."""
        rows = self.database.cursor().execute(f"DESCRIBE {self.at(name).relation}").fetchall()
        return [(column, type_) for column, type_, *_ in rows]

    def commit(
        self,
        name: Name,
        operation: str,
        make: Callable[[duckdb.DuckDBPyConnection, str], int],
    ) -> int:
        """Add a version, and return the number of changed rows, which `make` returns.

        `make` gets a cursor and the name of the DuckDB table to create.
        """
        with self.lock:
            number = self.versions(name)[0].number + 1 if self.exists(name) else 0
            relation = f'versions."{name}@{number}-{uuid.uuid4().hex}"'
            cursor = self.database.cursor()
            # No transaction: DuckDB 2.0 lost rows of a transaction that created a table and then
            # inserted many. If `make` fails, its table remains, but no version refers to it.
            rows = make(cursor, relation)
            row = [*name, number, time.time_ns() // 1000, operation, relation]
            cursor.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            return rows

    def drop(self, name: Name) -> None:
        with self.lock:
            cursor = self.database.cursor()
            relations = [version.relation for version in self.versions(name)]
            for table in ("log", "loaded"):
                cursor.execute(
                    f"DELETE FROM {table} WHERE (catalog, schema, name) = (?, ?, ?)", name
                )
            cursor.execute("DELETE FROM properties WHERE relation = ?", [str(name)])
            for relation in relations:
                cursor.execute(f"DROP TABLE {relation}")

    def properties(self, name: Name) -> dict[str, str]:
        cursor = self.database.cursor()
        sql = "SELECT name, value FROM properties WHERE relation = ?"
        return dict(cursor.execute(sql, [str(name)]).fetchall())

    def set_property(self, name: Name, key: str, value: str) -> None:
        cursor = self.database.cursor()
        cursor.execute("DELETE FROM properties WHERE relation = ? AND name = ?", [str(name), key])
        cursor.execute("INSERT INTO properties VALUES (?, ?, ?)", [str(name), key, value])
