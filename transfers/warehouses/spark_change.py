"""Change tables of Spark: each statement makes a new version of a table current.

Spark has no transaction over several tables. Each table changes in one statement of the catalogue
(`spark_versions`), in such an order that an interrupted change can be repeated.
"""

import re
from collections.abc import Iterable

import pyarrow as pa
import sqlglot
from sqlglot import exp

from transfers.exceptions import WarehouseError

from . import spark_sql as sql
from . import spark_tables as tables
from . import spark_versions as versions
from .spark_session import Session
from .spark_staging import Staged

CREATE = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*CREATE OR REPLACE TABLE `?(\w+)`? AS\s(.*)", re.DOTALL | re.IGNORECASE
)


class Change:
    """Implements `warehouses.Change`: runs statements at once; drops and appends in `flush`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._dropped: list[str] = []
        self._staged: dict[str, Staged] = {}

    def tables(self) -> list[str]:
        return versions.tables(self._session)

    def version(self, table: str) -> str:
        return versions.current(self._session, table)

    def query(self, statement: str) -> pa.Table:
        return self._session.run(statement)

    def execute(self, statement: str) -> None:
        """Run CREATE OR REPLACE TABLE ... AS, or UPDATE."""
        if match := CREATE.fullmatch(statement):
            self._write(match[1], match[2])
            return
        parsed = sqlglot.parse_one(statement, read="databricks")
        if not isinstance(parsed, exp.Update):
            raise WarehouseError(f"Spark's tables cannot be changed by {parsed.key.upper()}.")
        table = parsed.this.name
        self._write(table, _updated(parsed, self._columns(table)))

    def replace(self, table: str, condition: str, query: str) -> None:
        names = ", ".join(map(sql.name, self._columns(table).names))
        others = sql.select(names, f"{sql.name(table)} WHERE NOT coalesce({condition}, false)")
        self._write(table, f"({others}) UNION ALL ({query})")

    def drop(self, table: str) -> None:
        self._dropped.append(table)

    def append(
        self, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], key: str
    ) -> None:
        if table not in self._staged:
            self._staged[table] = Staged(self._session, table, *self._existing(table))
        self._staged[table].add(schema, batches, key)

    def flush(self) -> None:
        """Drop tables, then make the versions with the appended rows current."""
        for table in self._dropped:
            self._session.execute(f"DROP VIEW IF EXISTS {sql.name(table)}")
        self._dropped.clear()
        for table in [*self._staged]:
            self._staged[table].publish()
            del self._staged[table]

    def discard(self) -> None:
        """Drop the uploaded rows of an interrupted change."""
        for staged in self._staged.values():
            staged.discard()

    def _write(self, table: str, query: str) -> None:
        old, version = versions.current_or_none(self._session, table), versions.new(table)
        properties = tables.properties(tables.keys(self._session, old)) if old else ""
        tables.create(self._session, version, properties, query)
        versions.switch(self._session, table, old, version)

    def _columns(self, table: str) -> pa.Schema:
        return tables.schema(self._session, table)

    def _existing(self, table: str) -> tuple[str | None, pa.Schema]:
        """Return the version to which rows are appended, and its columns."""
        old = versions.current_or_none(self._session, table)
        if table in self._dropped or old is None:
            return None, pa.schema([])
        return old, tables.schema(self._session, old)


def _updated(update: exp.Update, columns: pa.Schema) -> str:
    """Return the query of a table's rows as an UPDATE statement would leave them."""
    changed = {e.this.name.lower(): e.expression.sql("databricks") for e in update.expressions}
    where = update.args["where"].this.sql("databricks")
    items = [
        f"CASE WHEN {where} THEN {changed[name.lower()]} ELSE {quoted} END AS {quoted}"
        if name.lower() in changed
        else quoted
        for name in columns.names
        for quoted in (sql.name(name),)
    ]
    return sql.select(", ".join(items), sql.name(update.this.name))
