"""Whole-file locks between processes (flock). The kernel releases them when their holders end."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .folders import EmbeddedError


@contextmanager
def shared(path: Path) -> Iterator[IO[str]]:
    """Hold the file's lock together with others; waits for a holder who wants it alone."""
    with _open(path) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield file


@contextmanager
def exclusive(path: Path) -> Iterator[IO[str]]:
    """Hold the file's lock alone; waits for all others."""
    with _open(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


@contextmanager
def attempt(path: Path, patience: float = 0) -> Iterator[IO[str] | None]:
    """Hold the file's lock alone, or get None when it is not free within `patience` seconds."""
    end = time.monotonic() + patience
    with _open(path) as file:
        while not (free := take(file)) and time.monotonic() < end:
            time.sleep(0.02)
        yield file if free else None


def is_held(path: Path) -> bool:
    """Whether somebody holds the file's lock alone. Askers never hinder each other."""
    with _open(path) as file:
        return not take(file, fcntl.LOCK_SH)


def take(file: IO[str], kind: int = fcntl.LOCK_EX) -> bool:
    """Take the lock of an open file if that needs no waiting; closing the file gives it back."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> IO[str]:
    try:
        return path.open("a")
    except OSError as error:
        reason = error.strerror or str(error)
        raise EmbeddedError(f"{path} cannot be opened ({reason}): let this user own it") from error
