"""The Databricks warehouse: tables of one schema in Unity Catalog, read through a SQL warehouse.

Versions of a Delta table are numbered, so `VERSION AS OF` reads one version:
https://docs.databricks.com/aws/en/delta/history

Databricks has no transaction over several tables. Each table changes in one statement, in such an
order that an interrupted change can be repeated.
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

HISTORY = 50  # the latest commits, among which the last one that changed rows is looked for
# Operations that do not change rows; Databricks runs some of them by itself.
MAINTENANCE = ("OPTIMIZE", "VACUUM", "REORG", "ANALYZE", "COMPUTE STATS", "SET TBLPROPERTIES")
# Rows are uploaded in several files, because the connector holds a whole file in memory.
PART_ROWS = 1_000_000


class Databricks:
    """The tables of one schema. Implements `Warehouse`."""

    def __init__(self, url: str, notify: Callable[[str], object] = log.info) -> None:
        self._access = Access(Address.of(url), notify)

    def tables(self) -> list[str]:
        with Session(self._access) as session:
            return _tables(session, self._access.address)

    def version(self, table: str) -> str:
        with Session(self._access) as session:
            return _current(session, self._access.address, table)[1]

    @contextmanager
    def snapshot(self, table: str) -> Iterator["Snapshot"]:
        with Session(self._access) as session:
            yield Snapshot(session, self._access.address, table)

    @contextmanager
    def change(self) -> Iterator["Change"]:
        with Session(self._access) as session, tempfile.TemporaryDirectory() as scratch:
            change = Change(session, self._access.address, Path(scratch))
            yield change
            change.flush()


class Snapshot:
    """One table at the version that was current on opening. Implements `Snapshot`."""

    def __init__(self, session: Session, address: Address, table: str) -> None:
        self._session, self._table = session, table
        self._number, self.version = _current(session, address, table)
        self._source = f"{sql.name(table)} VERSION AS OF {self._number}"
        self.schema = session.run(sql.select("*", f"{self._source} LIMIT 0")).schema
        self.rows: int = session.run(sql.select("count(*)", self._source))[0][0].as_py()

    def batches(
        self, columns: Sequence[str], order: Sequence[str], after: tuple[str, Any] | None = None
    ) -> Iterator[pa.RecordBatch]:
        names = ", ".join(map(sql.name, columns))
        sort = ", ".join(map(sql.order, [*order, *columns]))
        where = f" WHERE {sql.name(after[0])} > :after" if after else ""
        query = sql.select(names, f"{self._source}{where} ORDER BY {sort}")
        return self._session.batches(query, {"after": after[1]} if after else None)

    def changes(
        self, columns: Sequence[str], key: Sequence[str], since: str
    ) -> Iterator[pa.RecordBatch]:
        if since not in map(_version, _commits(self._session, self._table)):
            raise WarehouseError(f"{self._table} was created again after version {since}.")
        first = int(since.split()[0]) + 1
        feed = f"table_changes({sql.text(self._table)}, {first}, {self._number})"
        return self._session.batches(sql.changes(list(columns), list(key), feed))

    def figures(self, schema: pa.Schema, columns: Sequence[str]) -> verify.Figures:
        figures = sql.DIALECT.figures(schema, list(columns))
        query = verify.select(figures, self._source, sql.DIALECT.text_type)
        values = self._session.run(query).columns
        return {name: value[0].as_py() for name, value in zip(figures, values, strict=True)}

    def comments(self) -> dict[str, str]:
        columns = self._session.run(f"DESCRIBE TABLE {sql.name(self._table)}").to_pylist()
        return {row["col_name"]: row["comment"] for row in columns if row["comment"]}


class Change:
    """Run statements at once; drop and append in `flush`, and at the end. Implements `Change`."""

    def __init__(self, session: Session, address: Address, scratch: Path) -> None:
        self._session, self._address, self._scratch = session, address, scratch
        self._dropped: list[str] = []
        self._staged: dict[str, Staged] = {}

    def tables(self) -> list[str]:
        return _tables(self._session, self._address)

    def version(self, table: str) -> str:
        return _current(self._session, self._address, table)[1]

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
        schema = self._session.run(sql.select("*", f"{sql.name(table)} LIMIT 0")).schema
        return {field.name.lower(): sql.type_of(field) for field in schema}


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


def _tables(session: Session, address: Address) -> list[str]:
    schema = f"{sql.name(address.catalog)}.{sql.name(address.schema)}"
    tables = session.run(f"SHOW TABLES IN {schema}").to_pylist()
    return sorted(row["tableName"] for row in tables if not row["isTemporary"])


def _current(session: Session, address: Address, table: str) -> tuple[int, str]:
    """Return a table's newest version number, and the version that last changed its rows.

    The latter includes the time, because the numbers of a recreated table start from 0 again.
    """
    try:
        commits = _commits(session, table, f" LIMIT {HISTORY}")
    except WarehouseError as error:
        if "TABLE_OR_VIEW_NOT_FOUND" in str(error):
            raise missing(table, _tables(session, address)) from None
        raise
    changed = [c for c in commits if not c["operation"].startswith(MAINTENANCE)] or commits[-1:]
    return commits[0]["version"], _version(changed[0])


def _commits(session: Session, table: str, limit: str = "") -> list[dict[str, Any]]:
    """Return a table's commits, the newest first."""
    return list(session.run(f"DESCRIBE HISTORY {sql.name(table)}{limit}").to_pylist())


def _version(commit: dict[str, Any]) -> str:
    return f"{commit['version']} of {commit['timestamp']:%Y-%m-%d %H:%M:%S.%f}"
