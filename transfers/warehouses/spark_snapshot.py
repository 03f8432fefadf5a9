"""One relation of Databricks or Spark that does not change: its rows and figures."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa

from transfers.exceptions import WarehouseError
from transfers.figures import Figures

from . import OtherType, sort_keys
from . import spark_sql as sql
from .spark_figures import DIALECT
from .spark_types import Columns


class Session(Protocol):
    """Runs statements of Databricks or Spark."""

    def run(self, statement: str) -> pa.Table: ...

    def describe(self, query: str) -> list[dict[str, Any]]: ...

    def batches(
        self,
        query: str,
        schema: pa.Schema,
        values: Mapping[str, Any] | None = None,
        *,
        is_ordered: bool = False,
    ) -> Iterator[pa.RecordBatch]: ...


class Snapshot:
    """A table at one version. Implements `warehouses.Snapshot`.

    `sql` is the relation to read from: `pinned`, or a query of it that makes JSON.
    """

    def __init__(
        self,
        session: Session,
        table: str,
        pinned: str,
        version: str,
        json: Collection[str] = (),
    ) -> None:
        self._session, self._table, self.version = session, table, version
        self._columns = Columns.of(session.describe(sql.select("*", pinned)), json)
        self.rows: int = session.run(sql.select("count(*)", pinned))[0][0].as_py()
        self.schema, self.notes = self._columns.schema, list[str]()
        self.sql = pinned
        if self._columns.has_json:
            names = self._columns.select(self.schema.names)
            self.sql = f"({sql.select(names, pinned)}) AS source"

    def batches(
        self, columns: Sequence[str], order: Sequence[str], after: tuple[str, Any] | None = None
    ) -> Iterator[pa.RecordBatch]:
        names = ", ".join(map(sql.name, columns))
        sort = ", ".join(map(self._order, sort_keys(order, columns)))
        where = f" WHERE {self._columns.bytes(after[0])} > {self._value(after[0])}" if after else ""
        query = sql.select(names, f"{self.sql}{where} ORDER BY {sort}")
        values = {"after": after[1]} if after else None
        # All columns are in the order, so a second run has the rows at the same places.
        return self._session.batches(query, self._schema(columns), values, is_ordered=True)

    def changes(
        self, columns: Sequence[str], key: Sequence[str], since: str
    ) -> Iterator[pa.RecordBatch]:
        raise WarehouseError(f"the warehouse does not record changes of {self._table}.")

    def figures(self, schema: pa.Schema, columns: Sequence[str]) -> Figures:
        return DIALECT.figures(schema, columns, self.sql, self.row)

    def content(self) -> str:
        """Return the hash and the number of the rows as text, for a version."""
        hashable = pa.schema([f for f in self.schema if not isinstance(f.type, OtherType)])
        rows, row_hash = self.row(DIALECT.hash_query(hashable, hashable.names, self.sql))
        return f"content {int(row_hash or 0):x} of {rows} rows"

    def query(self, statement: str) -> pa.Table:
        return self._session.run(statement.replace("{source}", self.sql))

    def comments(self) -> dict[str, str]:
        columns = self._session.run(f"DESCRIBE TABLE {sql.table(self._table)}").to_pylist()
        return {row["col_name"]: row["comment"] for row in columns if row["comment"]}

    def _schema(self, columns: Sequence[str]) -> pa.Schema:
        return pa.schema([self.schema.field(name) for name in columns])

    def _order(self, column: str) -> str:
        """Write an ORDER BY item; texts are sorted by their bytes, as in PostgreSQL."""
        value = self._columns.bytes(column.removeprefix("-"))
        return sql.order(value, descending=column.startswith("-"))

    def _value(self, column: str) -> str:
        return "CAST(:after AS BINARY)" if column in self._columns.collated else ":after"

    def row(self, query: str) -> list[str | None]:
        """Return the only row of a query."""
        return [column[0].as_py() for column in self._session.run(query).columns]
