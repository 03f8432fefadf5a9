"""Upload rows into tables of their own, and append these to a table of Spark in one step."""

import hashlib
from collections.abc import Iterable

import pyarrow as pa

from transfers.exceptions import SchemaMismatch

from . import spark_files as files
from . import spark_sql as sql
from . import spark_tables as tables
from . import spark_upload as upload
from . import spark_versions as versions
from .spark_session import Session


class Staged:
    """Rows to append to a table, in parts: tables that become, or are added to, its version."""

    def __init__(self, session: Session, table: str, old: str | None, columns: pa.Schema) -> None:
        self._session, self._table, self._old = session, table, old
        self._keys = tables.keys(session, old) if old else set[str]()
        self._columns = {field.name.lower(): field for field in columns}
        self._parts: dict[str, pa.Schema] = {}

    def add(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch], key: str) -> None:
        """Upload rows into a new part; only read them if their key was appended before."""
        self._fit(schema)
        short = hashlib.sha256(key.encode()).hexdigest()[:32]
        if short in self._keys:
            for _ in batches:  # the caller counts them
                pass
            return
        self._keys.add(short)
        part = self._new_part(schema)
        if folder := self._session.address.files:
            files.insert(self._session, folder, part, schema, batches)
        else:
            upload.insert(self._session, part, schema, batches)

    def publish(self) -> None:
        """Make a version of the old rows and all parts, and drop the parts."""
        if not self._parts:
            return
        schemas = dict(self._parts)
        if self._old:
            schemas = {self._old: tables.schema(self._session, self._old), **schemas}
        query = " UNION ALL ".join(self._select(name, schema) for name, schema in schemas.items())
        version = versions.new(self._table)
        tables.create(self._session, version, tables.properties(self._keys), query)
        versions.switch(self._session, self._table, self._old, version)
        self.discard()

    def discard(self) -> None:
        for part in [*self._parts]:
            self._session.execute(f"DROP TABLE IF EXISTS {sql.name(part)}")
            del self._parts[part]

    def _new_part(self, schema: pa.Schema) -> str:
        part = versions.new(self._table)
        columns = ", ".join(f"{sql.name(f.name)} {sql.type_of(f)}" for f in schema)
        self._session.execute(f"CREATE TABLE {sql.name(part)} ({columns}) USING parquet")
        self._parts[part] = schema
        return part

    def _fit(self, schema: pa.Schema) -> None:
        """Add the columns that are missing; SchemaMismatch if one exists with another type."""
        for field in schema:
            type_ = sql.type_of(field)
            existing = sql.type_of(self._columns.setdefault(field.name.lower(), field))
            if existing != type_:
                problem = f"column {field.name} is {type_}, but {existing} in {self._table}."
                raise SchemaMismatch(problem)

    def _select(self, relation: str, schema: pa.Schema) -> str:
        names = {field.name.lower() for field in schema}
        columns = ", ".join(
            f"{sql.name(f.name)} AS {sql.name(f.name)}"
            if key in names
            else f"CAST(NULL AS {sql.type_of(f)}) AS {sql.name(f.name)}"
            for key, f in self._columns.items()
        )
        return sql.select(columns, sql.name(relation))
