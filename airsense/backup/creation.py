"""Make a backup while the platform runs."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import ProgrammingError, connection, transaction
from psycopg.errors import UndefinedTable
from rich.console import Console

from airsense import data_folder
from transfers import warehouses

from . import DATABASE, SECRETS, WAREHOUSE, BackupError, contents, folder, manifest, programs
from .manifest import Manifest

ATTEMPTS = 5  # a version can be dropped while the transaction begins, but not so often in a row


def create(target: Path, console: Console, *, secrets: bool = True) -> Manifest:
    """Back up database, embedded warehouse and generated secrets into the new folder `target`.

    Raises BackupError after removing what it wrote.
    """
    try:
        with folder.unfinished(target) as new:
            content = _database(new, console)
            # After the database: the warehouse may be newer than the database, as the next transfer
            # updates the tables. It must not lack months that the database records as built.
            _warehouse(new)
            if secrets:
                _secrets(new)
            content.write(new)
    except OSError as error:
        raise BackupError(
            f"{target} cannot be written: {error.strerror}; its disk has"
            f" {shutil.disk_usage(target.parent).free:,} bytes free. Nothing was left there."
        ) from error
    return content


def _database(new: Path, console: Console) -> Manifest:
    """Dump the database and describe it, both as of one moment."""
    with _snapshot() as name:
        content = manifest.of_database()
        path = programs.path_of(new / DATABASE)
        arguments = ["--format=directory", "--compress=gzip:1", f"--snapshot={name}"]
        programs.run("pg_dump", *arguments, f"--file={path}", rows=content.rows, console=console)
    return content


@contextmanager
def _snapshot() -> Iterator[str]:
    """Yield the name of a snapshot, whose versions are locked until the block ends."""
    for attempt in range(ATTEMPTS):
        versions = contents.versions()
        with transaction.atomic():
            _execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            _execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            try:
                # LOCK TABLE takes no snapshot: the later snapshot has all locked versions.
                contents.lock(versions)
            except ProgrammingError as error:
                if not isinstance(error.__cause__, UndefinedTable) or attempt == ATTEMPTS - 1:
                    raise
                transaction.set_rollback(True)
                continue
            yield _execute("SELECT pg_export_snapshot()")
            return


def _execute(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return str(cursor.fetchone()[0]) if cursor.description else ""


def _warehouse(new: Path) -> None:
    """Copy the embedded warehouse. Its file never changes: writers replace it by another."""
    file = warehouses.file_of(settings.WAREHOUSE_URL)
    if file and file.exists():
        shutil.copyfile(file, new / WAREHOUSE)


def _secrets(new: Path) -> None:
    (new / SECRETS).mkdir(mode=0o700)
    for name in data_folder.SECRETS:
        file = data_folder.folder() / name
        if file.exists():
            shutil.copyfile(file, new / SECRETS / name)
