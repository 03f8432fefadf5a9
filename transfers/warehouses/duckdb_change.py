"""Change tables in a draft of the embedded warehouse's file."""

import uuid
from collections.abc import Iterable, Iterator

import duckdb
import pyarrow as pa

from flights import tracing
from transfers.exceptions import SchemaMismatch
from transfers.identifiers import quoted

from . import duckdb_sql


class Change:
    """Changes tables in the draft of the file. Implements `warehouses.Change`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.changed: set[str] = set()
        # Not a counter, which would repeat its values if the warehouse is created again.
        self._version = uuid.uuid4().hex

    def tables(self) -> list[str]:
        return duckdb_sql.tables(self._connection)

    def version(self, table: str) -> str:
        return (
            self._version if table in self.changed else duckdb_sql.version(self._connection, table)
        )

    def query(self, sql: str) -> pa.Table:
        native, _ = duckdb_sql.translate(sql)
        return tracing.query(
            "duckdb", native, lambda: self._connection.sql(native).to_arrow_table()
        )

    def execute(self, sql: str) -> None:
        native, table = duckdb_sql.translate(sql)
        assert table, "every statement that changes the warehouse names a table"
        tracing.query("duckdb", native, lambda: self._connection.execute(native))
        self.changed.add(table)

    def replace(self, table: str, condition: str, query: str) -> None:
        self.execute(f"DELETE FROM {table} WHERE {condition}")  # noqa: S608  # the broker's own
        self.execute(f"INSERT INTO {table} {query}")

    def flush(self) -> None:
        """Do nothing: every statement sees those before it."""

    def drop(self, table: str) -> None:
        self._connection.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
        self.changed.add(table)

    def append(
        self, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], key: str
    ) -> None:
        name, failures = quoted(table), list[Exception]()
        self._fit(table, schema)
        stream = pa.RecordBatchReader.from_batches(schema, _recorded(batches, failures))
        self._connection.register("incoming", stream)
        try:
            # One statement for all batches: one statement for each takes three times the memory in
            # a transaction, and three times the time without one.
            self._connection.execute(f"INSERT INTO {name} BY NAME FROM incoming")
        except duckdb.Error:
            if failures:  # DuckDB wraps them in an error of its own
                raise failures[0] from None
            raise
        finally:
            self._connection.unregister("incoming")
        self.changed.add(table)

    def finish(self) -> None:
        """Give changed tables a new version, and write everything into the one file."""
        run = self._connection.execute
        run("CREATE SCHEMA IF NOT EXISTS airsense")
        run("CREATE TABLE IF NOT EXISTS airsense.versions (name TEXT PRIMARY KEY, version TEXT)")
        for table in self.changed:
            run("INSERT OR REPLACE INTO airsense.versions VALUES (?, ?)", [table, self._version])
        run("CHECKPOINT")

    def _fit(self, table: str, schema: pa.Schema) -> None:
        """Create the table or its missing columns; SchemaMismatch if types differ."""
        name = quoted(table)
        self._connection.register("wanted", schema.empty_table())
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {name} AS FROM wanted")
        existing = {column.lower(): type_ for column, type_ in self._types(name).items()}
        for column, type_ in self._types("wanted").items():
            if column.lower() in existing:
                _check_type(table, column, type_, existing[column.lower()])
            else:
                self._connection.execute(f"ALTER TABLE {name} ADD COLUMN {quoted(column)} {type_}")
        self._connection.unregister("wanted")

    def _types(self, name: str) -> dict[str, str]:
        return {row[0]: row[1] for row in self._connection.sql(f"DESCRIBE {name}").fetchall()}


def _recorded(
    batches: Iterable[pa.RecordBatch], failures: list[Exception]
) -> Iterator[pa.RecordBatch]:
    """Yield the batches; add the exception that ends them to `failures`."""
    try:
        yield from batches
    except Exception as error:
        failures.append(error)
        raise


def _check_type(table: str, column: str, new: str, old: str) -> None:
    if new != old:
        raise SchemaMismatch(f"column {column} is {new}, but {old} in {table}.")
