"""The embedded warehouse: a folder with one DuckDB file.

A writer changes a copy of the file (a draft), which then replaces the file. So readers continue to
read the file that they opened, and a killed writer leaves only a draft, which the next one removes.
"""

import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import duckdb_file, duckdb_sql, missing
from .duckdb_change import Change
from .duckdb_snapshot import Snapshot
from .spark_sql import parts


class DuckDB:
    """Implements `warehouses.Warehouse` in a folder, which the first change creates."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.file = self.folder / "warehouse.duckdb"

    def tables(self) -> list[str]:
        if not self._exists():
            return []
        with duckdb_file.open_file(self.file) as connection:
            return duckdb_sql.tables(connection)

    def version(self, table: str) -> str:
        if not self._exists():
            raise missing(table, [])
        with duckdb_file.open_file(self.file) as connection:
            return duckdb_sql.version(connection, table)

    @contextmanager
    def snapshot(
        self, table: str, json: Collection[str] = (), *, pinned: bool = True
    ) -> Iterator[Snapshot]:
        if not self._exists():
            raise missing(table, [])
        with duckdb_file.open_file(self.file) as connection:
            yield Snapshot(connection, parts(table)[-1], json)

    @contextmanager
    def change(self) -> Iterator[Change]:
        with duckdb_file.folder_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        with duckdb_file.folder_errors(self.folder), duckdb_file.locked(self.folder):
            duckdb_file.sweep(self.folder)
            draft = self.folder / f"{duckdb_file.DRAFT}{uuid.uuid4().hex}.duckdb"
            try:
                if self.file.exists():
                    shutil.copyfile(self.file, draft)
                with duckdb_file.open_file(draft, "READ_WRITE") as connection:
                    change = Change(connection)
                    yield change
                    change.finish()
                if change.changed:
                    duckdb_file.replace(self.file, draft)
            finally:
                duckdb_file.sweep(self.folder)

    def _exists(self) -> bool:
        with duckdb_file.folder_errors(self.folder):
            return self.file.exists()
