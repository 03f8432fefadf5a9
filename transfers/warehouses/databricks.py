"""The Databricks warehouse: tables of one schema in Unity Catalog, read through a SQL warehouse.

Versions of a Delta table are numbered, so `VERSION AS OF` reads one version:
https://docs.databricks.com/aws/en/delta/history

Databricks has no transaction over several tables. Each table changes in one statement, in such an
order that an interrupted change can be repeated.
"""

import logging
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from transfers.exceptions import SchemaMismatch, WarehouseError

from . import databricks_copy
from . import databricks_history as history
from . import spark_sql as sql
from .databricks_access import Access
from .databricks_address import Address
from .databricks_session import Session
from .databricks_snapshot import Snapshot
from .spark_types import Columns

log = logging.getLogger(__name__)

# Rows are uploaded in several files, because the connector holds a whole file in memory.
PART_ROWS = 1_000_000


class Databricks:
    """The tables of one schema. Implements `warehouses.Warehouse`."""

    def __init__(self, url: str, notify: Callable[[str], object] = log.info) -> None:
        self._access = Access(Address.of(url), notify)

    def tables(self) -> list[str]:
        with Session(self._access) as session:
            return history.tables(session, self._access.address)

    def version(self, table: str) -> str:
        with Session(self._access) as session:
            return history.current(session, self._access.address, table)[1]

    @contextmanager
    def snapshot(
        self, table: str, json: Collection[str] = (), *, pinned: bool = True
    ) -> Iterator[Snapshot]:
        address = self._access.address
        with Session(self._access) as session:
            if pinned:
                yield Snapshot(session, address, table, json)
                return
            with databricks_copy.snapshot(session, address, table, json) as copy:
                yield copy

    @contextmanager
    def change(self) -> Iterator["Change"]:
        with Session(self._access) as session, tempfile.TemporaryDirectory() as scratch:
            change = Change(session, self._access.address, Path(scratch))
            yield change
            change.flush()


class Change:
    """Implements `warehouses.Change`: runs statements at once; drops and appends in `flush`."""

    def __init__(self, session: Session, address: Address, scratch: Path) -> None:
        self._session, self._address, self._scratch = session, address, scratch
        self._dropped: list[str] = []
        self._staged: dict[str, Staged] = {}

    def tables(self) -> list[str]:
        return history.tables(self._session, self._address)

    def version(self, table: str) -> str:
        return history.current(self._session, self._address, table)[1]

    def query(self, statement: str) -> pa.Table:
        return self._session.run(statement)

    def execute(self, statement: str) -> None:
        self._session.run(statement)

    def replace(self, table: str, condition: str, query: str) -> None:
        # https://docs.databricks.com/aws/en/delta/selective-overwrite
        self._session.run(f"INSERT INTO {sql.name(table)} REPLACE WHERE {condition} {query}")

    def drop(self, table: str) -> None:
        self._dropped.append(table)

    def append(
        self, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], key: str
    ) -> None:
        staged = self._staged.setdefault(table, Staged(table, self._columns(table)))
        staged.fit(schema)
        folder = self._scratch / table
        folder.mkdir(exist_ok=True)
        try:
            staged.files += _parquet(folder, key, schema, batches)
        except OSError as error:
            raise WarehouseError(
                f"Records cannot be written to {folder}: {error.strerror or error}.",
                advice="Free disk space there, or set TMPDIR to another folder.",
            ) from error

    def flush(self) -> None:
        """Upload the staged files, drop tables, load the files, and remove them."""
        volume = "/".join(("/Volumes", *self._namespace(), self._address.volume))
        files = {f"{volume}/{s.table}/{f.name}": f for s in self._staged.values() for f in s.files}
        for path, file in files.items():
            self._upload(path, file)
        for table in self._dropped:
            self._session.run(f"DROP TABLE IF EXISTS {sql.name(table)}")
        for staged in self._staged.values():
            for statement in staged.statements(f"{volume}/{staged.table}"):
                self._session.run(statement)
        for path, file in files.items():
            self._session.run(f"REMOVE {sql.text(path)}")
            file.unlink()
        self._dropped.clear()
        self._staged.clear()

    def _upload(self, path: str, file: Path) -> None:
        with file.open("rb") as content:
            try:
                self._session.run(
                    f"PUT '__input_stream__' INTO {sql.text(path)} OVERWRITE", content
                )
            except WarehouseError as error:
                volume = ".".join((*self._namespace(), self._address.volume))
                error.advice = error.advice or f"Check that the volume {volume} exists."
                raise

    def _namespace(self) -> tuple[str, str]:
        return self._address.catalog, self._address.schema

    def _columns(self, table: str) -> dict[str, str]:
        """Return the type of each existing column, by lower-case name."""
        if table in self._dropped or table not in self.tables():
            return {}
        described = self._session.describe(sql.select("*", sql.name(table)))
        return {field.name.lower(): sql.type_of(field) for field in Columns.of(described).schema}


class Staged:
    """Parquet files to load into one table, and the columns that the table then has."""

    def __init__(self, table: str, columns: dict[str, str]) -> None:
        self.table, self.files = table, list[Path]()
        self._columns = columns
        self._new: dict[str, str] = {}

    def fit(self, schema: pa.Schema) -> None:
        """Add the columns that are missing; SchemaMismatch if one exists with another type."""
        for field in schema:
            type_ = sql.type_of(field)
            existing = self._columns.setdefault(field.name.lower(), type_)
            if existing != type_:
                problem = f"column {field.name} is {type_}, but {existing} in {self.table}."
                raise SchemaMismatch(problem)
            self._new.setdefault(field.name, type_)

    def statements(self, folder: str) -> Iterator[str]:
        """Yield the SQL that loads the files. COPY INTO skips files that it has already loaded:
        https://docs.databricks.com/aws/en/sql/language-manual/delta-copy-into
        """
        columns = ", ".join(f"{sql.name(column)} {type_}" for column, type_ in self._new.items())
        yield f"CREATE TABLE IF NOT EXISTS {sql.name(self.table)} ({columns})"
        files = ", ".join(sql.text(file.name) for file in self.files)
        yield (
            f"COPY INTO {sql.name(self.table)} FROM {sql.text(folder)}"
            f" FILEFORMAT = PARQUET FILES = ({files})"
            " FORMAT_OPTIONS ('mergeSchema' = 'true') COPY_OPTIONS ('mergeSchema' = 'true')"
        )


def _parquet(
    folder: Path, key: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> Iterator[Path]:
    """Write batches to files of about `PART_ROWS` rows, named after the key."""
    batches, part = iter(batches), 0
    batch = next(batches, None)
    while batch is not None:
        file, rows = folder / f"{key}-{part}.parquet", 0
        with pq.ParquetWriter(file, schema, coerce_timestamps="us") as out:
            while batch is not None and rows < PART_ROWS:
                out.write_batch(batch)
                rows += batch.num_rows
                batch = next(batches, None)
        part += 1
        yield file
