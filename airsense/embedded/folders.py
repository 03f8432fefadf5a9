"""Where the embedded servers keep their things: all in the data folder, except sockets at times."""

import hashlib
import os
import shutil
import stat
from pathlib import Path

from airsense import data_folder

# A socket's path fits in 108 bytes on Linux and 104 on macOS; the longest name is PostgreSQL's.
LONGEST_SOCKET = 100
POSTGRES_SOCKET = ".s.PGSQL.5432"
FULL = 32 << 20  # bytes; PostgreSQL's log grows by 16 MiB at a time


class EmbeddedError(data_folder.StartError):
    """An embedded server cannot run, in one line that says what to do."""


def run() -> Path:
    """Locks, and sockets where their paths are short enough."""
    return private(data_folder.folder() / "run")


def log(name: str) -> Path:
    """The log file of this name."""
    return private(data_folder.folder() / "logs") / f"{name}.log"


def room() -> str:
    """Says that the disk of the data folder is full; "" where it is not."""
    free = shutil.disk_usage(data_folder.folder()).free
    return f"; the disk of {data_folder.folder()} has {free:,} bytes free: make room" * (
        free < FULL
    )


def failure() -> Path:
    """The file in which a supervisor that ends tells its clients why."""
    return run() / "failure"


def valkey_socket() -> Path:
    """Valkey's socket."""
    return socket_folder() / "valkey.sock"


def socket_folder() -> Path:
    """The folder of both servers' sockets. Whoever may enter it may use them: nobody else can."""
    near = run()
    if len(os.fsencode(near / POSTGRES_SOCKET)) <= LONGEST_SOCKET:
        return near
    # Not $TMPDIR: every process has to come to the same path.
    digest = hashlib.sha256(os.fsencode(near)).hexdigest()[:16]
    return private(Path("/tmp") / f"airsense-{os.geteuid()}-{digest}")  # noqa: S108


def private(path: Path) -> Path:
    """Make a folder for its owner alone. Raises EmbeddedError for one that others may enter."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise EmbeddedError(f"the folder {path} cannot be made: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077 or found.st_uid not in _owners():
        raise EmbeddedError(
            f"{path} must be a folder that only this user may enter: remove it, or own it, mode 700"
        )
    return path


def _owners() -> set[int]:
    """Who may own a private folder: this user; under root also the account PostgreSQL runs as."""
    return (
        {0, data_folder.NOBODY, data_folder.folder().stat().st_uid}
        if os.geteuid() == 0
        else {os.geteuid()}
    )
