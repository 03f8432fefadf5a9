"""Run PostgreSQL and Valkey from pip wheels on a machine that has neither.

`lease()` keeps them running. The holder of a lease has a shared lock on `clients.lock`. One
supervisor process starts the servers. It holds `supervisor.lock` always and `ready.lock` while the
servers answer, and stops them when nobody holds a lease. The kernel releases the locks of a process
that ends, so a held lock always means a living holder.

    client  --lease-->  clients.lock  <--polls--  supervisor  --runs-->  PostgreSQL, Valkey

`DATABASE_URL` replaces the embedded PostgreSQL, `REDIS_URL` the embedded Valkey. Every command
imports this module, so it imports neither Django nor a driver.
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

LONGEST_PAUSE = 10.0  # most seconds between two attempts to start the servers


def database_url() -> str:
    """The embedded PostgreSQL's URL for libpq and psycopg."""
    return f"postgresql://airsense@/airsense?host={quote(str(socket_folder()), safe='')}&port=5432"


def broker_url() -> str:
    """The embedded Valkey's URL for Celery."""
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
                backoff.failed(f"AirSense waits: {error}. It retries; press Ctrl-C to stop.")
        time.sleep(0.1)


def ensure() -> None:
    """Start the servers if they do not run, and return when they answer.

    The caller must hold a lease. Also restarts the servers of a supervisor that was killed. Costs
    only one lock attempt if they run already. Raises EmbeddedError if a server cannot start.
    """
    names = needed()
    started = False
    while names and not locks.is_held(folders.run() / "ready.lock"):
        with locks.attempt(folders.run() / "supervisor.lock") as lock:
            if lock and started:
                raise EmbeddedError(_failure())
            if lock:
                _start_supervisor(lock)
                started = True
        time.sleep(0.01)
    if names:
        _check_that_all_run(names)


def needed() -> set[str]:
    """Names of the servers that DATABASE_URL and REDIS_URL do not replace."""
    variables = {"PostgreSQL": "DATABASE_URL", "Valkey": "REDIS_URL"}
    return {name for name, variable in variables.items() if not os.environ.get(variable)}


def _start_supervisor(lock: IO[str]) -> None:
    """Start the supervisor. It inherits the lock, so no other process can start a second one."""
    folders.failure().unlink(missing_ok=True)
    with folders.log("embedded").open("a") as log:
        subprocess.run(
            [sys.executable, "-m", "airsense.embedded.supervisor", str(lock.fileno())],
            check=False,  # it forks and returns; its locks show whether it runs
            cwd=data_folder.PROJECT,
            env={**os.environ, "AIRSENSE_HOME": str(data_folder.folder())},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )


def _failure() -> str:
    """The error of the last supervisor."""
    try:
        return folders.failure().read_text()
    except FileNotFoundError:
        log = folders.log("embedded")
        problem = "the embedded servers ended before they answered: run the command again, or see"
        return f"{problem} {log}{folders.disk_warning()}"


def _check_that_all_run(names: set[str]) -> None:
    """Raise EmbeddedError if a server is missing that the first client's environment replaced."""
    missing = names - set((folders.run() / "ready.lock").read_text().split())
    if missing and locks.is_held(folders.run() / "ready.lock"):
        raise EmbeddedError(
            f"{' and '.join(sorted(missing))} does not run, because the command that started the"
            " embedded servers had DATABASE_URL or REDIS_URL set: stop it, or set the same here"
        )
