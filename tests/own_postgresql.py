"""A PostgreSQL server that belongs to one test, which may stop it."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from airsense import data_folder
from tests.platform import Platform, until
from tests.platforms import own_platform
from tests.processes import children, parent

HOLD = """
import sys
from airsense import embedded
with embedded.lease():
    print(embedded.database_url(), flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Server:
    """An embedded PostgreSQL; its supervisor starts it again."""

    folder: Path  # PostgreSQL's account may enter it
    url: str

    @property
    def data(self) -> Path:
        return self.folder / "home" / "postgres"

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the server during the block, as after a crash (`pg_ctl stop -m immediate`)."""
        with paused(parent(self.postmaster)):
            os.kill(self.postmaster, signal.SIGQUIT)
            yield
        until(self.accepts_connections, seconds=60)

    @contextmanager
    def silent(self, *, whole: bool) -> Iterator[None]:
        """Let new connections hang during the block, and existing ones, too, if `whole`."""
        backends = children(self.postmaster) if whole else ()
        with paused(parent(self.postmaster), self.postmaster, *backends):
            yield
        until(self.accepts_connections, seconds=60)

    @property
    def postmaster(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split("\n")[0])

    def accepts_connections(self) -> bool:
        try:
            self.execute("SELECT")
        except psycopg.OperationalError:
            return False
        return True

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@contextmanager
def own_postgresql() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(dir=data_folder.folder()) as folder:
        Path(folder).chmod(0o711)
        env = {**os.environ, "AIRSENSE_HOME": f"{folder}/home", "DATABASE_URL": ""}
        with subprocess.Popen(
            [sys.executable, "-c", HOLD],
            cwd=data_folder.PROJECT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as holder:
            assert holder.stdout
            yield Server(Path(folder), holder.stdout.readline().strip())
            holder.communicate()
        until(lambda: not (Path(folder) / "home/postgres/postmaster.pid").exists(), seconds=60)


@contextmanager
def platform_of(server: Server, *settings: str) -> Iterator[Platform]:
    """Run a platform on a database of the server, with PostgreSQL settings."""
    server.execute("CREATE DATABASE own", *(f"ALTER DATABASE own SET {s}" for s in settings))
    try:
        with own_platform(DATABASE_URL=server.url.replace("/airsense?", "/own?")) as own:
            yield own
    finally:
        server.execute("DROP DATABASE own WITH (FORCE)", "DROP ROLE own_reader")


@contextmanager
def paused(*processes: int) -> Iterator[None]:
    """Pause processes (SIGSTOP) during the block: their sockets stay open and unread."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in reversed(processes):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
