"""A hot standby of a test's PostgreSQL server: a replica that tests pause, freeze and kill."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from airsense.embedded import account, postgres
from tests.own_postgresql import Server, paused
from tests.platform import until
from tests.processes import children

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",  # at least as many as the primary has
    "shared_buffers": "32MB",
    "fsync": "off",
    "wal_retrieve_retry_interval": "100ms",
}


@dataclass(frozen=True)
class Standby:
    """A running standby, reached by a socket in `folder`."""

    folder: Path
    process: "subprocess.Popen[bytes]"

    def connect(self) -> socket.socket:
        """A raw connection, for a proxy."""
        return connect(self.folder)

    def url(self, user: str) -> str:
        return f"postgresql://{user}@/own?host={self.folder}&port=5432"

    def pause(self) -> None:
        """Stop replaying: from now on the standby lags."""
        self.execute("SELECT pg_wal_replay_pause()")
        paused = "SELECT pg_get_wal_replay_pause_state() = 'paused'"
        until(lambda: self.execute(paused))

    def resume(self) -> None:
        self.execute("SELECT pg_wal_replay_resume()")

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Stop all its processes during the block, as a frozen machine does."""
        pid = self.process.pid
        with paused(pid, *children(pid)):
            yield

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGQUIT)
        self.process.wait()

    def execute(self, statement: str) -> Any:
        """Run a statement as the administrator; returns the first value."""
        with psycopg.connect(self.url("airsense"), autocommit=True) as connection:
            row = connection.execute(statement).fetchone()
            return row[0] if row else None


def connect(folder: str | Path) -> socket.socket:
    """A raw connection to the PostgreSQL server whose socket is in a folder."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(f"{folder}/.s.PGSQL.5432")
    return client


def socket_folder(primary: Server) -> str:
    return str(conninfo_to_dict(primary.url)["host"])


@contextmanager
def standby(primary: Server, name: str, **settings: str) -> Iterator[Standby]:
    """Copy a server with pg_basebackup, and run the copy as its hot standby."""
    folder = primary.folder / name
    folder.mkdir()
    owner = account.choose(postgres.program("postgres"), primary.folder / "home")
    os.chown(folder, owner.owner, owner.owner)
    backup = ["-h", socket_folder(primary), "-U", "airsense", "-D", str(folder / "data")]
    _run(owner, "pg_basebackup", *backup, "-R", "-X", "stream", "--checkpoint=fast")
    options = [f"--{key}={value}" for key, value in (SETTINGS | settings).items()]
    command: list[str | Path] = [
        postgres.program("postgres"),
        "-D",
        folder / "data",
        "-k",
        folder,
        *options,
    ]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, preexec_fn=owner.become, cwd="/", stderr=log) as process,
    ):
        own = Standby(folder, process)
        try:
            until(lambda: process.poll() is not None or _answers(own))
            yield own
        finally:
            if process.poll() is None:
                own.kill()


def _run(owner: account.Account, program: str, *arguments: str) -> None:
    command = [str(postgres.program(program)), *arguments]
    subprocess.run(command, check=True, preexec_fn=owner.become, cwd="/", timeout=60)


def _answers(own: Standby) -> bool:
    try:
        return bool(own.execute("SELECT pg_is_in_recovery()"))
    except psycopg.OperationalError:
        return False
