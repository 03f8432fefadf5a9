"""The folder of a backup: write it under a temporary name, and check it by its digests."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flights import durable

from . import BackupError

SUMS = "SHA256SUMS"


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """Yield a new folder, which becomes `target` when the block ends without an exception.

    A process that is killed leaves the folder `target`.unfinished, which the next backup of this
    name removes. Raises BackupError if `target` exists, or another process is writing it.
    """
    if os.path.lexists(target):
        raise BackupError(f"{target} exists: name another folder, or remove it.")
    folder = target.with_name(f"{target.name}.unfinished")
    handle = _create(folder)
    try:
        yield folder
        _seal(folder)
        folder.rename(target)
        durable.sync(target.parent)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        os.close(handle)


def check(folder: Path) -> None:
    """Raise BackupError unless the folder has exactly the files of a finished backup."""
    if not (folder / SUMS).is_file():
        raise BackupError(f"{folder} is no finished backup: it has no file {SUMS}.")
    lines = (folder / SUMS).read_text().splitlines()
    expected = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    existing = set(_files(folder)) - {SUMS}
    wrong = [f"{name} is missing" for name in sorted(expected.keys() - existing)]
    wrong += [f"{name} does not belong to it" for name in sorted(existing - expected.keys())]
    wrong += [f"{n} was changed" for n in _changed(folder, expected.keys() & existing, expected)]
    if wrong or not expected:
        problem = "; ".join(wrong[:5]) or f"{SUMS} is empty"
        raise BackupError(f"{folder} is damaged: {problem}. Use another backup.")


def _changed(folder: Path, names: set[str], expected: dict[str, str]) -> Iterator[str]:
    return (name for name in sorted(names) if _digest(folder / name) != expected[name])


def _create(folder: Path) -> int:
    """Create the folder, after removing one that a killed process left; return its lock."""
    try:
        if folder.exists():
            with _locked(folder):
                shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise BackupError(f"{folder} cannot be created: {error.strerror}.") from error
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BackupError(f"Another process is writing {folder}: wait until it ends.") from None
    finally:
        os.close(handle)


def _seal(folder: Path) -> None:
    """Write the digests, and make every file durable and private."""
    names = sorted(_files(folder))
    lines = [f"{_digest(folder / name)}  {name}\n" for name in names]
    (folder / SUMS).write_text("".join(lines))
    for name in [*names, SUMS]:
        (folder / name).chmod(0o600)
        durable.sync(folder / name)
    for path in (*folder.rglob("*/"), folder):
        path.chmod(0o700)
        durable.sync(path)


def _files(folder: Path) -> Iterator[str]:
    return (p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
