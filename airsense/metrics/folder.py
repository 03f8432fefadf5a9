"""The folder in which the processes of a server or worker keep their metrics.

prometheus_client maps a file per process into memory, so that any of them can report the sum.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # of prometheus_client, which reads it when it is imported
# Files in memory: a process that writes to a mapped file on a full disk is killed (SIGBUS).
MEMORY = Path("/dev/shm")  # noqa: S108  # the folder below has a random name and mode 0700
PREFIX = "airsense-metrics-"
LOCK = "lock"  # a file that the processes of the folder keep locked


@contextmanager
def shared() -> Iterator[None]:
    """Make the folder for this process and those that it starts; remove it at the end."""
    parent = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    _remove_abandoned(parent)
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent) as name,
        _locked(Path(name)),
    ):
        os.environ[VARIABLE] = name
        yield


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of processes that were killed, which lock them no more."""
    for folder in parent.glob(f"{PREFIX}*"):
        # Another user's folder cannot be opened, and one that is used cannot be locked.
        with suppress(OSError), (folder / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)


def _locked(folder: Path) -> IO[str]:
    """Lock a new folder, in a file that gets its name when it is locked."""
    file = (folder / f"new-{LOCK}").open("w")
    fcntl.flock(file, fcntl.LOCK_EX)
    Path(file.name).rename(folder / LOCK)
    return file


def forget_dead() -> None:
    """Remove the gauges of processes that have ended; their counters stay."""
    from prometheus_client.multiprocess import mark_process_dead

    for file in Path(os.environ[VARIABLE]).glob("gauge_live*.db"):
        process = file.stem.rpartition("_")[2]
        try:
            os.kill(int(process), 0)  # only asks whether it exists
        except ProcessLookupError:
            mark_process_dead(int(process))  # type: ignore[no-untyped-call]
