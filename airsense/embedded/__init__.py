"""A real PostgreSQL and a real Valkey for a machine that has none, from pip wheels.

`lease()` keeps them running. Who holds a lease has a shared lock on `clients.lock`. One supervisor
process owns the servers: it holds `supervisor.lock`, and `ready.lock` while they answer, and stops
them when nobody has a lease. The kernel drops the locks of a dead process, so no lock can lie.

    client  --lease-->  clients.lock  <--polls--  supervisor  --owns-->  PostgreSQL, Valkey

With `DATABASE_URL` set there is no embedded PostgreSQL; with `REDIS_URL` set, no embedded Valkey.
This module imports neither Django nor a driver: every command passes through it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO
from urllib.parse import quote

from airsense import data_folder
from airsense.backoff import Backoff

from . import folders, locks
from .folders import EmbeddedError, socket_folder

__all__ = ["EmbeddedError", "broker_url", "database_url", "ensure", "lease", "socket_folder"]

LONGEST_PAUSE = 10.0  # seconds between two attempts to start the servers


def database_url() -> str:
    """Where the embedded PostgreSQL answers, as libpq and psycopg take it."""
    return f"postgresql://airsense@/airsense?host={quote(str(socket_folder()), safe='')}&port=5432"


def broker_url() -> str:
    """Where the embedded Valkey answers, as Celery takes it."""
    return f"redis+socket://{quote(str(folders.valkey_socket()))}?virtual_host=0"


@contextmanager
def lease(write: Callable[[str], object] | None = None) -> Iterator[None]:
    """Context manager: the servers run until it exits.

    Raises EmbeddedError if a server cannot start. With `write`, which prints a line, it instead
    retries until the servers start, and prints why it waits.
    """
    if not needed():
        yield
        return
    with locks.shared(folders.run() / "clients.lock"):
        if write:
            _wait(write)
        else:
            ensure()
        yield


def _wait(write: Callable[[str], object]) -> None:
    backoff = Backoff(write, LONGEST_PAUSE)
    while True:
        if backoff.due:
            try:
                return ensure()
            except (EmbeddedError, OSError) as error:
                backoff.failed(f"AirSense waits: {error}. It tries again; press Ctrl-C to stop.")
        time.sleep(0.1)


def ensure() -> None:
    """Return when the servers answer; cheap (one lock is tried) when they do already.

    For the holder of a lease: also brings back the servers of a supervisor that was killed.
    Raises EmbeddedError when a server cannot start.
    """
    wanted = needed()
    started = False
    while wanted and not locks.is_held(folders.run() / "ready.lock"):
        with locks.attempt(folders.run() / "supervisor.lock") as lock:
            if lock and started:
                raise EmbeddedError(_failure())
            if lock:
                _start_supervisor(lock)
                started = True
        time.sleep(0.01)
    if wanted:
        _check_that_all_run(wanted)


def needed() -> set[str]:
    """The names of the servers that this process's environment does not replace."""
    variables = {"PostgreSQL": "DATABASE_URL", "Valkey": "REDIS_URL"}
    return {name for name, variable in variables.items() if not os.environ.get(variable)}


def _start_supervisor(lock: IO[str]) -> None:
    """Start the supervisor; it inherits the held lock, so there is never a moment without owner."""
    folders.failure().unlink(missing_ok=True)
    with folders.log("embedded").open("a") as log:
        subprocess.run(
            [sys.executable, "-m", "airsense.embedded.supervisor", str(lock.fileno())],
            check=False,  # it forks and returns; what becomes of it is seen by its locks
            cwd=data_folder.PROJECT,
            env={**os.environ, "AIRSENSE_HOME": str(data_folder.folder())},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )


def _failure() -> str:
    """Why the last supervisor ended."""
    try:
        return folders.failure().read_text()
    except FileNotFoundError:
        log = folders.log("embedded")
        ended = "the embedded servers ended before they answered: run this again, or see"
        return f"{ended} {log}{folders.room()}"


def _check_that_all_run(wanted: set[str]) -> None:
    """The first client's environment chose the servers; a later one may miss one."""
    missing = wanted - set((folders.run() / "ready.lock").read_text().split())
    if missing and locks.is_held(folders.run() / "ready.lock"):
        raise EmbeddedError(
            f"{' and '.join(sorted(missing))} does not run, as the command that started the "
            "embedded servers had DATABASE_URL or REDIS_URL set: end it, or set the same here"
        )
