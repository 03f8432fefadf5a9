"""File locks between processes (flock(2)). The kernel releases them when their holders end."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .folders import EmbeddedError


@contextmanager
def shared(path: Path) -> Iterator[IO[str]]:
    """Hold a shared lock; waits for the holder of an exclusive lock."""
    with _open(path) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield file


@contextmanager
def exclusive(path: Path) -> Iterator[IO[str]]:
    """Hold an exclusive lock; waits for all other holders."""
    with _open(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


@contextmanager
def attempt(path: Path, timeout: float = 0) -> Iterator[IO[str] | None]:
    """Hold an exclusive lock; yield None if it is not free within `timeout` seconds."""
    end = time.monotonic() + timeout
    with _open(path) as file:
        while not (free := take(file)) and time.monotonic() < end:
            time.sleep(0.02)
        yield file if free else None


def is_held(path: Path) -> bool:
    """Whether a process holds an exclusive lock. Several processes can check at the same time."""
    with _open(path) as file:
        return not take(file, fcntl.LOCK_SH)


def take(file: IO[str], kind: int = fcntl.LOCK_EX) -> bool:
    """Lock an open file if it is free. Closing the file releases the lock."""
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
        raise EmbeddedError(
            f"{path} cannot be opened ({reason}): make this user its owner"
        ) from error
