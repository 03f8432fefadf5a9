"""The folder in which the processes of a server or worker store their metrics.

prometheus_client maps a file per process into memory, so that any of them can report the sum.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from airsense.embedded import locks

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
        locks.exclusive(Path(name, f"new-{LOCK}")) as lock,
    ):
        Path(lock.name).rename(Path(name, LOCK))  # once it is locked: a free lock means abandoned
        os.environ[VARIABLE] = name
        yield


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of processes that were killed, whose locks are free."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError), (folder / LOCK).open() as lock:  # another user's cannot be opened
            if locks.take(lock):
                shutil.rmtree(folder)


def forget_dead() -> None:
    """Remove the gauges of processes that have ended; their counters stay."""
    from prometheus_client.multiprocess import mark_process_dead

    for file in Path(os.environ[VARIABLE]).glob("gauge_live*.db"):
        process = file.stem.rpartition("_")[2]
        try:
            os.kill(int(process), 0)  # signal 0 only checks that the process exists
        except ProcessLookupError:
            mark_process_dead(int(process))  # type: ignore[no-untyped-call]
