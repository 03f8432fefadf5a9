"""Volumes: folders for files, which come by PUT and go into tables by COPY INTO."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from .tables import Name, SqlError, Tables

PUT = r"PUT\s+'([^']+)'\s+INTO\s+'([^']+)'(\s+OVERWRITE)?"
REMOVE = r"REMOVE\s+'([^']+)'"
LIST = r"LIST\s+'([^']+)'"
CREATE = r"CREATE\s+VOLUME\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w`.]+)"
COPY = (
    r"COPY\s+INTO\s+([\w`.]+)\s+FROM\s+'([^']+)'\s+FILEFORMAT\s*=\s*PARQUET"
    r"(?:\s+FILES\s*=\s*\(([^)]*)\))?((?:\s+(?:FORMAT|COPY)_OPTIONS\s*\([^)]*\))*)"
)


@dataclass(frozen=True)
class Staging:
    """What the connector has to do itself: send a file to an address, or remove one."""

    operation: str
    local: str
    path: Path
    ticket: str

    def table(self, url: str) -> pa.Table:
        row = {"operation": self.operation, "localFile": self.local, "presignedUrl": url}
        return pa.table({name: [value] for name, value in row.items()} | {"headers": ["{}"]})


class Volumes:
    def __init__(self, folder: Path, tables: Tables) -> None:
        self.folder, self.tables = folder / "volumes", tables
        self.tickets: dict[str, Path] = {}

    def create(self, name: Name) -> None:
        self.folder.joinpath(*name).mkdir(parents=True, exist_ok=True)

    def staging(self, operation: str, local: str, path: str) -> Staging:
        file, ticket = self.file(path), uuid.uuid4().hex
        self.tickets[ticket] = file
        return Staging(operation, local, file, ticket)

    def files(self, path: str) -> pa.Table:
        found = sorted(p for p in self.file(path).rglob("*") if p.is_file())
        return pa.table({"name": pa.array([p.name for p in found], pa.string())})

    def file(self, path: str) -> Path:
        """Where a file of a volume is kept."""
        top, *parts = path.strip("/").split("/")
        volume = self.folder.joinpath(*parts[:3])
        if top != "Volumes" or ".." in parts or not volume.is_dir():
            raise SqlError("VOLUME_NOT_FOUND", f"The volume of {path} does not exist.", "42704")
        return self.folder.joinpath(*parts)

    def copy(self, name: Name, path: str, files: str | None, options: str) -> pa.Table:
        """COPY INTO: loads each file into a table once."""
        merge = "mergeschema" in options.lower()
        wanted = re.findall(r"'([^']+)'", files or "")
        paths = [f"{path.rstrip('/')}/{file}" for file in wanted] or [path]
        cursor = self.tables.database.cursor()
        sql = "SELECT path FROM loaded WHERE (catalog, schema, name) = (?, ?, ?)"
        known = {found for (found,) in cursor.execute(sql, name).fetchall()}
        new = [path for path in paths if path not in known]
        sources = [str(self.file(path)) for path in new]
        if absent := [path for path in sources if not Path(path).exists()]:
            raise SqlError("PATH_NOT_FOUND", f"Path does not exist: {absent[0]}", "42K03")
        old = self.tables.at(name).relation
        rows = new and self.tables.commit(name, "COPY INTO", _loads(old, sources, merge))
        for path in new:
            cursor.execute("INSERT INTO loaded VALUES (?, ?, ?, ?)", [*name, path])
        return pa.table({"num_affected_rows": [rows or 0], "num_inserted_rows": [rows or 0]})


def _loads(
    old: str, sources: list[str], merge: bool
) -> Callable[[duckdb.DuckDBPyConnection, str], int]:
    def make(cursor: duckdb.DuckDBPyConnection, new: str) -> int:
        cursor.execute(f"CREATE TABLE {new} AS FROM {old}")
        files = f"read_parquet({sources!r}, union_by_name = true)"
        there = {name.lower() for name, *_ in cursor.execute(f"DESCRIBE {old}").fetchall()}
        for name, type_, *_ in cursor.execute(f"DESCRIBE FROM {files}").fetchall():
            if name.lower() not in there:
                if not merge:
                    problem = f"A schema mismatch was detected: column {name}."
                    raise SqlError("DELTA_METADATA_MISMATCH", problem, "42KDG")
                cursor.execute(f'ALTER TABLE {new} ADD COLUMN "{name}" {type_}')
        cursor.execute(f"INSERT INTO {new} BY NAME FROM {files}")
        ((rows,),) = cursor.execute(f"SELECT count(*) FROM {files}").fetchall()
        return int(rows)

    return make
