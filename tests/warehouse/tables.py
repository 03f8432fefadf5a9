"""Tables that keep all their versions, as Delta tables do, in one DuckDB file.

Each version is a relation of its own that never changes, so a reader of one is never disturbed.
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
CREATE SCHEMA IF NOT EXISTS kept;
CREATE TABLE IF NOT EXISTS schemas (catalog TEXT, name TEXT, PRIMARY KEY (catalog, name));
CREATE TABLE IF NOT EXISTS log (
  catalog TEXT, schema TEXT, name TEXT, version BIGINT, made BIGINT, operation TEXT,
  relation TEXT);
CREATE TABLE IF NOT EXISTS properties (relation TEXT, name TEXT, value TEXT);
CREATE TABLE IF NOT EXISTS loaded (catalog TEXT, schema TEXT, name TEXT, path TEXT);
-- Functions of Spark's that DuckDB lacks.
CREATE OR REPLACE MACRO conv(digits, old, new) AS CAST('0x' || digits AS UBIGINT)::VARCHAR;
"""


class SqlError(Exception):
    """What the warehouse answers for a statement that it cannot run."""

    def __init__(self, kind: str, message: str, state: str = "42000") -> None:
        super().__init__(f"[{kind}] {message} SQLSTATE: {state}")
        self.state = state


class Name(NamedTuple):
    catalog: str
    schema: str
    table: str

    def __str__(self) -> str:
        return ".".join(self)


class Version(NamedTuple):
    number: int
    made: int  # microseconds since 1970
    operation: str
    relation: str  # as SQL


class Tables:
    def __init__(self, folder: Path) -> None:
        self.database = duckdb.connect(str(folder / "warehouse.duckdb"))
        self.database.execute(SETUP)
        self.lock = threading.RLock()

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

    def versions(self, name: Name) -> list[Version]:
        """The newest first."""
        sql = "SELECT version, made, operation, relation FROM log WHERE (catalog, schema, name) = "
        found = self.database.cursor().execute(f"{sql} (?, ?, ?) ORDER BY 1 DESC", name)
        versions = [Version(*row) for row in found.fetchall()]
        if not versions:
            shown = "`.`".join(name)
            raise SqlError(
                "TABLE_OR_VIEW_NOT_FOUND", f"The table or view `{shown}` cannot be found.", "42P01"
            )
        return versions

    def at(self, name: Name, number: int | None = None) -> Version:
        """A version, by default the newest."""
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
        """Name and DuckDB's type of each column."""
        found = self.database.cursor().execute(f"DESCRIBE {self.at(name).relation}").fetchall()
        return [(column, type_) for column, type_, *_ in found]

    def commit(
        self,
        name: Name,
        operation: str,
        make: Callable[[duckdb.DuckDBPyConnection, str], int],
    ) -> int:
        """A new version, made by `make` as the relation that it is given; returns its rows."""
        with self.lock:
            number = self.versions(name)[0].number + 1 if self.exists(name) else 0
            relation = f'kept."{name}@{number}-{uuid.uuid4().hex}"'
            cursor = self.database.cursor()
            # Not in a transaction: one that made a table and then inserted much into it lost that
            # (DuckDB 2.0). A relation that the log does not name is not there.
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
