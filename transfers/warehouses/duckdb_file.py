"""The file of the embedded warehouse: open it, and replace it by a changed copy (a draft)."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import duckdb

from flights import durable
from transfers.exceptions import WarehouseBusy, WarehouseError

MEMORY_MB = 1024  # beyond its limit DuckDB spills to disk
OFFLINE = {"autoinstall_known_extensions": "false"}  # the wheel includes all extensions in use

DRAFT, SCRATCH = "next-", "scratch-"
SCRATCH_AGE = 60  # seconds; a live process locks its new scratch folder much sooner


@contextmanager
def open_file(
    file: Path, mode: Literal["READ_ONLY", "READ_WRITE"] = "READ_ONLY"
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file by attaching it to a new in-memory database.

    Connecting to the path would not work: while this process has a file open, DuckDB returns that
    file for its path, even after another file has replaced it.
    """
    with _scratch(file.parent) as scratch, _duckdb_errors():
        config: dict[str, Any] = {
            "memory_limit": f"{MEMORY_MB}MB",
            "temp_directory": scratch,
            **OFFLINE,
        }
        with duckdb.connect(":memory:", config=config) as connection:
            path = str(file).replace("'", "''")
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            connection.execute(f"ATTACH '{path}' AS warehouse ({mode})")
            connection.execute("USE warehouse")
            yield connection


@contextmanager
def _scratch(folder: Path) -> Iterator[str]:
    """Create a folder for DuckDB's temporary files, locked so that `sweep` leaves it alone."""
    with folder_errors(folder):
        scratch = tempfile.TemporaryDirectory(prefix=SCRATCH, dir=folder)
    with scratch as path:
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield path
        finally:
            os.close(handle)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the writer's lock; WarehouseBusy if another process holds it."""
    with (folder / "writer.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WarehouseBusy(
                f"The warehouse in {folder} is being changed by another process.",
                advice="Try again when the other ingest or broker has finished.",
            ) from None
        yield


def sweep(folder: Path) -> None:
    """Remove the drafts and scratch folders of killed processes. Only the writer calls this."""
    for draft in folder.glob(f"{DRAFT}*"):
        draft.unlink()
    for scratch in folder.glob(f"{SCRATCH}*"):
        with suppress(FileNotFoundError, BlockingIOError):
            if time.time() - scratch.stat().st_mtime > SCRATCH_AGE:
                _remove_unlocked(scratch)


def _remove_unlocked(scratch: Path) -> None:
    handle = os.open(scratch, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(scratch)
    finally:
        os.close(handle)


def replace(file: Path, draft: Path) -> None:
    """Replace the file by the draft, and sync both to disk so that it survives a power failure."""
    durable.sync(draft)
    draft.replace(file)
    durable.sync(file.parent)


@contextmanager
def folder_errors(folder: Path) -> Iterator[None]:
    """Report errors of the operating system as WarehouseError."""
    try:
        yield
    except OSError as error:
        raise WarehouseError(
            f"The warehouse's folder {folder} cannot be used: {error.strerror or error}.",
            advice="Check write permission and free disk space there, or set WAREHOUSE_URL.",
        ) from error


@contextmanager
def _duckdb_errors() -> Iterator[None]:
    """Report DuckDB's errors as WarehouseError, with the first line of the message."""
    try:
        yield
    except duckdb.Error as error:
        raise WarehouseError(f"The warehouse failed: {str(error).splitlines()[0]}") from error
