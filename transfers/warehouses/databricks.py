"""Databricks: tables of Unity Catalog, reached through a SQL warehouse.

Deltas are immutable and numbered, so a table is read at one version by `VERSION AS OF`. There is
no change of several tables at once: each table changes in one statement, in an order in which a
change that was cut short can be made again.
"""

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from transfers import verify
from transfers.exceptions import SchemaMismatch, WarehouseError

from . import databricks_sql as sql
from . import missing
from .databricks_session import Access, Address, Session

log = logging.getLogger(__name__)

HISTORY = 50  # commits that are looked through for the last one that changed rows
# Commits that leave a table's rows as they are; Databricks makes some by itself.
UPKEEP = ("OPTIMIZE", "VACUUM", "REORG", "ANALYZE", "COMPUTE STATS", "SET TBLPROPERTIES")
# A file of records is staged in parts, as each is sent from memory.
PART_ROWS = 1_000_000


class Databricks:
    """The tables of one schema."""

    def __init__(self, url: str, say: Callable[[str], object] = log.info) -> None:
        self._access = Access(Address.of(url), say)

    def tables(self) -> list[str]:
        with Session(self._access) as session:
            return _tables(session, self._access.address)

    def version(self, table: str) -> str:
        with Session(self._access) as session:
            return _pin(session, self._access.address, table)[1]

    @contextmanager
    def snapshot(self, table: str) -> Iterator["Snapshot"]:
        with Session(self._access) as session:
            yield Snapshot(session, self._access.address, table)

    @contextmanager
    def change(self) -> Iterator["Change"]:
        with Session(self._access) as session, tempfile.TemporaryDirectory() as scratch:
            change = Change(session, self._access.address, Path(scratch))
            yield change
            change.finish()


class Snapshot:
    """One table at the version that it had when it was opened."""

    def __init__(self, session: Session, address: Address, table: str) -> None:
        self._session, self._table = session, table
        self._number, self.version = _pin(session, address, table)
        self._source = f"{sql.name(table)} VERSION AS OF {self._number}"
        self.schema = session.run(sql.select("*", f"{self._source} LIMIT 0")).schema
        self.rows: int = session.run(sql.select("count(*)", self._source))[0][0].as_py()

    def batches(
        self, columns: Sequence[str], order: Sequence[str], after: tuple[str, Any] | None = None
    ) -> Iterator[pa.RecordBatch]:
        names = ", ".join(map(sql.name, columns))
        sort = ", ".join(map(sql.order, [*order, *columns]))
        later = f" WHERE {sql.name(after[0])} > :after" if after else ""
        query = sql.select(names, f"{self._source}{later} ORDER BY {sort}")
        return self._session.batches(query, {"after": after[1]} if after else None)

    def changes(
        self, columns: Sequence[str], key: Sequence[str], since: str
    ) -> Iterator[pa.RecordBatch]:
        if since not in map(_named, _commits(self._session, self._table)):
            raise WarehouseError(f"{self._table} was made anew since version {since}.")
        first = int(since.split()[0]) + 1
        feed = f"table_changes({sql.text(self._table)}, {first}, {self._number})"
        return self._session.batches(sql.changes(list(columns), list(key), feed))

    def figures(self, schema: pa.Schema, columns: Sequence[str]) -> verify.Figures:
        asked = sql.DIALECT.figures(schema, list(columns))
        query = verify.select(asked, self._source, sql.DIALECT.text_type)
        answers = self._session.run(query).columns
        return {name: answer[0].as_py() for name, answer in zip(asked, answers, strict=True)}

    def comments(self) -> dict[str, str]:
        described = self._session.run(f"DESCRIBE TABLE {sql.name(self._table)}").to_pylist()
        return {row["col_name"]: row["comment"] for row in described if row["comment"]}


class Change:
    """What is dropped and appended happens when the block ends; statements at once."""

    def __init__(self, session: Session, address: Address, scratch: Path) -> None:
        self._session, self._address, self._scratch = session, address, scratch
        self._dropped: list[str] = []
        self._staged: dict[str, Staged] = {}

    def tables(self) -> list[str]:
        return _tables(self._session, self._address)

    def version(self, table: str) -> str:
        return _pin(self._session, self._address, table)[1]

    def query(self, statement: str) -> pa.Table:
        return self._session.run(statement)

    def execute(self, statement: str) -> None:
        self._session.run(statement)

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
                advice="Make room there, or set TMPDIR to another folder.",
            ) from error

    def finish(self) -> None:
        volume = "/".join(("/Volumes", *self._names(), self._address.volume))
        files = {f"{volume}/{s.table}/{f.name}": f for s in self._staged.values() for f in s.files}
        for path, file in files.items():
            self._upload(path, file)
        for table in self._dropped:
            self._session.run(f"DROP TABLE IF EXISTS {sql.name(table)}")
        for staged in self._staged.values():
            for statement in staged.statements(f"{volume}/{staged.table}"):
                self._session.run(statement)
        for path in files:
            self._session.run(f"REMOVE {sql.text(path)}")

    def _upload(self, path: str, file: Path) -> None:
        with file.open("rb") as content:
            try:
                self._session.run(
                    f"PUT '__input_stream__' INTO {sql.text(path)} OVERWRITE", content
                )
            except WarehouseError as error:
                volume = ".".join((*self._names(), self._address.volume))
                error.advice = error.advice or f"See that the volume {volume} is there."
                raise

    def _names(self) -> tuple[str, str]:
        return self._address.catalog, self._address.schema

    def _columns(self, table: str) -> dict[str, str]:
        """The type of each column that a table has, by its lower-case name."""
        if table in self._dropped or table not in self.tables():
            return {}
        schema = self._session.run(sql.select("*", f"{sql.name(table)} LIMIT 0")).schema
        return {field.name.lower(): sql.type_of(field) for field in schema}


class Staged:
    """Files of rows that a table is to get, and its columns then."""

    def __init__(self, table: str, columns: dict[str, str]) -> None:
        self.table, self.files = table, list[Path]()
        self._columns = columns
        self._new: dict[str, str] = {}

    def fit(self, schema: pa.Schema) -> None:
        """SchemaMismatch where a column of that name has another type."""
        for field in schema:
            type_ = sql.type_of(field)
            there = self._columns.setdefault(field.name.lower(), type_)
            if there != type_:
                problem = f"column {field.name} is {type_}, but {there} in {self.table}."
                raise SchemaMismatch(problem)
            self._new.setdefault(field.name, type_)

    def statements(self, folder: str) -> Iterator[str]:
        """What loads the files. Each file is loaded once, however often this is run."""
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
    """Write batches into files of about `PART_ROWS`, named by the key."""
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


def _tables(session: Session, address: Address) -> list[str]:
    where = f"{sql.name(address.catalog)}.{sql.name(address.schema)}"
    found = session.run(f"SHOW TABLES IN {where}")
    return sorted(row["tableName"] for row in found.to_pylist() if not row["isTemporary"])


def _pin(session: Session, address: Address, table: str) -> tuple[int, str]:
    """The number of a table's newest version, and the name of the last one that changed rows.

    The name has the time too: a table that is made anew counts from 0 again.
    """
    try:
        commits = _commits(session, table, f" LIMIT {HISTORY}")
    except WarehouseError as error:
        if "TABLE_OR_VIEW_NOT_FOUND" in str(error):
            raise missing(table, _tables(session, address)) from None
        raise
    changed = [c for c in commits if not c["operation"].startswith(UPKEEP)] or commits[-1:]
    return commits[0]["version"], _named(changed[0])


def _commits(session: Session, table: str, limit: str = "") -> list[dict[str, Any]]:
    """The newest first."""
    found = session.run(f"DESCRIBE HISTORY {sql.name(table)}{limit}")
    return list(found.to_pylist())


def _named(commit: dict[str, Any]) -> str:
    return f"{commit['version']} of {commit['timestamp']:%Y-%m-%d %H:%M:%S.%f}"
