"""Restore a backup into an empty database and an empty data folder.

The database is filled in one transaction, so a restore that is killed leaves it empty or complete.
The file `restore.json` of the data folder records that a restore has begun and its stage. Running
the same command again continues it. Until the database is filled, `manage.py setup` and `run`
refuse to make a new platform.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection
from rich.console import Console

from airsense import data_folder
from airsense.embedded import locks

from . import (
    DATABASE,
    BackupError,
    contents,
    folder,
    interrupted,
    manifest,
    marker,
    programs,
    target,
    verification,
)
from .manifest import Manifest

type Write = Callable[[str], object]


def restore(source: Path, console: Console, write: Write) -> None:
    """Restore the backup in the folder `source`; `write` prints a line about each step.

    Raises BackupError if the backup is damaged or newer than this code, if the database or the data
    folder is not empty, or if a restored table differs from the manifest.
    """
    with _os_errors(), _platform_lock():
        folder.check(source)
        content = manifest.read(source)
        content.check()
        write(f"Backup of {content.made_at}, AirSense {content.release}: all files are intact.")
        if not marker.begun(source):
            target.check(source)
            marker.write(source, marker.LOADING)
        if marker.stage() == marker.LOADING:
            _load(source, content, console, write)
        _finish(content, write)
        marker.remove()


def _load(source: Path, content: Manifest, console: Console, write: Write) -> None:
    """Restore the files and the database, and compare all tables with the manifest."""
    if not target.fill(source):
        write("The embedded warehouse is left out, because WAREHOUSE_URL names another one.")
    if not contents.relations():
        path = programs.path_of(source / DATABASE)
        options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        programs.run("pg_restore", *options, path, rows=content.rows, console=console)
    connection.close()  # it may have looked up what did not exist yet
    verification.compare_tables(content)
    write(f"{len(content.tables)} tables of the platform: rows and hashes are equal.")
    marker.write(source, marker.FINISHING)


def _finish(content: Manifest, write: Write) -> None:
    """Migrate, create roles and grants, end interrupted work, and verify every version."""
    _set_up()
    contents.optimize()
    for line in interrupted.end():
        write(line)
    for version in verification.verify_versions(content):
        current = " (current)" if content.published.get(version.table) == version.number else ""
        write(f"{version.table}/{version.number}{current}: {version.rows:,} rows, hash equal")


def _set_up() -> None:
    """Run `setup` in a new process, which reads the restored secrets."""
    command = [sys.executable, str(data_folder.PROJECT / "manage.py"), "setup"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(
            f"The database was restored, but manage.py setup failed: {done.stderr.strip()}"
            " Correct the cause, and run the same command again."
        )


@contextmanager
def _platform_lock() -> Iterator[None]:
    """Keep `manage.py run` from starting with this data folder."""
    with locks.attempt(data_folder.folder() / "platform.lock") as lock:
        if not lock:
            raise BackupError(f"AirSense runs with {data_folder.folder()}: stop it first.")
        yield


@contextmanager
def _os_errors() -> Iterator[None]:
    """Raise OSError of the block as BackupError."""
    try:
        yield
    except OSError as error:
        where = f" ({os.fsdecode(error.filename)})" if error.filename else ""
        raise BackupError(
            f"The backup cannot be restored: {error.strerror}{where}. Correct the cause, and run"
            " the same command again."
        ) from error
