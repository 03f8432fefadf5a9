"""Folders and files of the embedded servers: in the data folder, except sockets with long paths."""

import hashlib
import os
import shutil
import stat
from pathlib import Path

from airsense import data_folder

# Bytes of a socket's path. The system's limit is 108 on Linux and 104 on macOS (unix(7)).
LONGEST_SOCKET = 100
POSTGRES_SOCKET = ".s.PGSQL.5432"
FULL = 32 << 20  # bytes free; PostgreSQL's write-ahead log grows by 16 MiB at a time


class EmbeddedError(data_folder.StartError):
    """An embedded server cannot run. The message is one line and says what to do."""


def run() -> Path:
    """The folder of locks, and of sockets if their paths are short enough."""
    return private(data_folder.folder() / "run")


def log(name: str) -> Path:
    """The log file of this name."""
    return private(data_folder.folder() / "logs") / f"{name}.log"


def disk_warning() -> str:
    """The end of an error message if the data folder's disk is full; else ""."""
    free = shutil.disk_usage(data_folder.folder()).free
    if free >= FULL:
        return ""
    return f"; the disk of {data_folder.folder()} has only {free:,} bytes free: free some space"


def failure() -> Path:
    """The file in which a supervisor that ends leaves its error for the clients."""
    return run() / "failure"


def valkey_socket() -> Path:
    """Valkey's socket."""
    return socket_folder() / "valkey.sock"


def socket_folder() -> Path:
    """The folder of both servers' sockets. Only its owner can enter it and use them."""
    folder = run()
    if len(os.fsencode(folder / POSTGRES_SOCKET)) <= LONGEST_SOCKET:
        return folder
    # Not $TMPDIR, because every process must get the same path.
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return private(Path("/tmp") / f"airsense-{os.geteuid()}-{digest}")  # noqa: S108


def private(path: Path) -> Path:
    """Create a folder with mode 0700. Raises EmbeddedError if others can enter it."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        info = path.lstat()
    except OSError as error:
        raise EmbeddedError(f"the folder {path} cannot be created: {error.strerror}") from error
    if not stat.S_ISDIR(info.st_mode) or info.st_mode & 0o077 or info.st_uid not in _owners():
        raise EmbeddedError(
            f"{path} must be a folder that only this user may enter: remove it, or set its owner"
            " and mode 700"
        )
    return path


def _owners() -> set[int]:
    """User ids that may own a private folder: this user, and for root PostgreSQL's account."""
    return (
        {0, data_folder.NOBODY, data_folder.folder().stat().st_uid}
        if os.geteuid() == 0
        else {os.geteuid()}
    )
