"""Volumes: folders of files. PUT uploads a file, and COPY INTO loads files into a table."""

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
    """A transfer that the connector does itself: upload a file to a URL, or remove one."""

    operation: str  # PUT or REMOVE
    local: str  # path on the client's machine
    path: Path  # path in the volume
    ticket: str  # secret part of the URL

    def table(self, url: str) -> pa.Table:
        """Return the result that tells the connector what to do; `url` contains the ticket."""
        row = {"operation": self.operation, "localFile": self.local, "presignedUrl": url}
        return pa.table({name: [value] for name, value in row.items()} | {"headers": ["{}"]})


class Volumes:
    """The volumes of a warehouse, each a folder `volumes/CATALOG/SCHEMA/NAME`."""

    def __init__(self, folder: Path, tables: Tables) -> None:
        self.folder, self.tables = folder / "volumes", tables
        self.tickets: dict[str, Path] = {}  # files that may be uploaded or removed

    def create(self, name: Name) -> None:
        self.folder.joinpath(*name).mkdir(parents=True, exist_ok=True)

    def staging(self, operation: str, local: str, path: str) -> Staging:
        """Allow the client to upload or remove one file."""
        file, ticket = self.file(path), uuid.uuid4().hex
        self.tickets[ticket] = file
        return Staging(operation, local, file, ticket)

    def files(self, path: str) -> pa.Table:
        """List the names of the files below a path."""
        paths = sorted(p for p in self.file(path).rglob("*") if p.is_file())
        return pa.table({"name": pa.array([p.name for p in paths], pa.string())})

    def file(self, path: str) -> Path:
        """Return the local path of `/Volumes/CATALOG/SCHEMA/NAME/...`; SqlError if invalid."""
        top, *parts = path.strip("/").split("/")
        volume = self.folder.joinpath(*parts[:3])
        if top != "Volumes" or ".." in parts or not volume.is_dir():
            raise SqlError("VOLUME_NOT_FOUND", f"The volume of {path} does not exist.", "42704")
        return self.folder.joinpath(*parts)

    def copy(self, name: Name, path: str, files: str | None, options: str) -> pa.Table:
        """Run COPY INTO, which loads each file into a table only once; return the row counts."""
        merge = "mergeschema" in options.lower()
        names = re.findall(r"'([^']+)'", files or "")
        paths = [f"{path.rstrip('/')}/{file}" for file in names] or [path]
        cursor = self.tables.database.cursor()
        sql = "SELECT path FROM loaded WHERE (catalog, schema, name) = (?, ?, ?)"
        loaded = {path for (path,) in cursor.execute(sql, name).fetchall()}
        new = [path for path in paths if path not in loaded]
        sources = [str(self.file(path)) for path in new]
        if missing := [path for path in sources if not Path(path).exists()]:
            raise SqlError("PATH_NOT_FOUND", f"Path does not exist: {missing[0]}", "42K03")
        old = self.tables.at(name).relation
        rows = new and self.tables.commit(name, "COPY INTO", _load(old, sources, merge))
        for path in new:
            cursor.execute("INSERT INTO loaded VALUES (?, ?, ?, ?)", [*name, path])
        return pa.table({"num_affected_rows": [rows or 0], "num_inserted_rows": [rows or 0]})


def _load(
    old: str, sources: list[str], merge: bool
) -> Callable[[duckdb.DuckDBPyConnection, str], int]:
    """Return a function for `Tables.commit` that copies a version and adds the rows of files.

    With `merge`, new columns of the files are added to the table; without, they are an error.
    """

    def make(cursor: duckdb.DuckDBPyConnection, new: str) -> int:
        cursor.execute(f"CREATE TABLE {new} AS FROM {old}")
        files = f"read_parquet({sources!r}, union_by_name = true)"
        existing = {name.lower() for name, *_ in cursor.execute(f"DESCRIBE {old}").fetchall()}
        for name, type_, *_ in cursor.execute(f"DESCRIBE FROM {files}").fetchall():
            if name.lower() not in existing:
                if not merge:
                    problem = f"A schema mismatch was detected: column {name}."
                    raise SqlError("DELTA_METADATA_MISMATCH", problem, "42KDG")
                cursor.execute(f'ALTER TABLE {new} ADD COLUMN "{name}" {type_}')
        cursor.execute(f"INSERT INTO {new} BY NAME FROM {files}")
        ((rows,),) = cursor.execute(f"SELECT count(*) FROM {files}").fetchall()
        return int(rows)

    return make
