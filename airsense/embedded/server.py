"""One server process: started so that it never outlives the supervisor, and never runs twice.

The process inherits a held lock file, `<key>.lock`, and so do the processes that it makes: while
the lock is held, something of an earlier server still runs, whatever became of its supervisor.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import IO

from airsense import logs, parent_death

from . import folders, locks
from .folders import EmbeddedError

# Crash recovery replays at most max_wal_size (seconds); a fast shutdown writes what is in memory.
START_SECONDS = 300
STOP_SECONDS = 60
# Lines of a log that say why, the likeliest first; clients that it turns away are not the cause.
CAUSES = ("PANIC.*", "(?:FATAL(?!:  the database system is)|error).*")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class Server:
    """What PostgreSQL and Valkey have in common; they say how each is prepared, run and asked."""

    name: str
    key: str
    stop_signal: signal.Signals
    process: subprocess.Popen[bytes] | None = None

    def prepare(self, lock: IO[str]) -> None:
        """Make the folders that the server needs, while its lock is held."""
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        """The program and its arguments."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it serves its clients now."""
        raise NotImplementedError

    def become(self) -> None:
        """Change the account, in the new process."""

    def start(self) -> None:
        """Start it, return when it answers. Raises EmbeddedError with the server's own reason."""
        self.log = folders.log(self.key)
        logs.begin(self.log.parent)  # before it is written: then its date is of its last lines
        self.log_start = self.log.stat().st_size if self.log.exists() else 0
        with locks.attempt(folders.run() / f"{self.key}.lock", STOP_SECONDS) as lock:
            if not lock:
                raise EmbeddedError(f"an earlier {self.name} still runs: end it (log: {self.log})")
            self.prepare(lock)
            self.process = self.spawn(self.command(), lock, self.stop_signal)
        self._wait()

    def runs(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """End it in order; after a minute by force, which is safe: the next start recovers."""
        if self.process is None or not self.runs():
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def spawn(
        self,
        command: Sequence[str],
        lock: IO[str],
        death_signal: signal.Signals,
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start a process that gets `death_signal` when this one ends (on Linux)."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd="/",
                env=ENVIRONMENT,
                stdin=stdin,
                stdout=log,
                stderr=log,
                pass_fds=[lock.fileno()],
                preexec_fn=_in_child(self.become, death_signal),
            )

    def run(self, command: Sequence[str], lock: IO[str], text: bytes = b"") -> None:
        """Run a command to its end. Raises EmbeddedError with its own reason when it fails."""
        process = self.spawn(command, lock, signal.SIGKILL, subprocess.PIPE)
        process.communicate(text)
        if process.returncode:
            raise self.failure()

    def failure(self) -> EmbeddedError:
        """Of what this start wrote to the log: the first error, or the last line."""
        written = self.log.read_bytes()[self.log_start :].decode(errors="replace")
        errors = [line for pattern in CAUSES for line in re.findall(pattern, written)]
        reason = (errors[:1] or written.strip().splitlines()[-1:] or ["it wrote nothing"])[0]
        return EmbeddedError(
            f"{self.name} cannot start: {reason} (log: {self.log}){folders.room()}"
        )

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while not self.answers():
            if not self.runs():
                raise self.failure()
            if time.monotonic() > end:
                self.stop()
                raise EmbeddedError(
                    f"{self.name} does not answer after {START_SECONDS} s (log: {self.log})"
                )
            time.sleep(0.01)


def _in_child(become: Callable[[], None], death_signal: signal.Signals) -> Callable[[], None]:
    """What the new process does before it is the server."""
    parent = os.getpid()

    def prepare() -> None:
        become()  # first: a change of account forgets the death signal
        parent_death.end_with(parent, death_signal)

    return prepare
