"""A server process that never outlives the supervisor and never runs twice.

The process and its children inherit a locked file, `<key>.lock`. While the lock is held, a process
of an earlier server still runs, even if its supervisor is gone.
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
# Log lines that contain the cause, the likeliest first; not the refusals of clients during a start.
CAUSES = ("PANIC.*", "(?:FATAL(?!:  the database system is)|error).*")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class Server:
    """Base class of PostgreSQL and Valkey."""

    name: str
    key: str
    stop_signal: signal.Signals
    process: subprocess.Popen[bytes] | None = None

    def prepare(self, lock: IO[str]) -> None:
        """Create the folders that the server needs. The caller holds `lock`."""
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether the server accepts clients now."""
        raise NotImplementedError

    def become(self) -> None:
        """Switch the account; runs in the new process."""

    def start(self) -> None:
        """Start the server and wait until it answers. Raises EmbeddedError with the reason."""
        self.log = folders.log(self.key)
        # Before the log is written, because its mtime must be that of its last line.
        logs.begin(self.log.parent)
        self.log_start = self.log.stat().st_size if self.log.exists() else 0
        with locks.attempt(folders.run() / f"{self.key}.lock", STOP_SECONDS) as lock:
            if not lock:
                raise EmbeddedError(f"an earlier {self.name} still runs: stop it (log: {self.log})")
            self.prepare(lock)
            self.process = self.spawn(self.command(), lock, self.stop_signal)
        self._wait()

    def runs(self) -> bool:
        """Whether the process is alive."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop the server; kill it after STOP_SECONDS. The next start recovers from a kill."""
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
        """Start a process that Linux sends `death_signal` when this process ends."""
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
        """Run a command with `text` on standard input. Raises EmbeddedError if it fails."""
        process = self.spawn(command, lock, signal.SIGKILL, subprocess.PIPE)
        process.communicate(text)
        if process.returncode:
            raise self.failure()

    def failure(self) -> EmbeddedError:
        """Return an error with the log's first error since this start, else its last line."""
        written = self.log.read_bytes()[self.log_start :].decode(errors="replace")
        errors = [line for pattern in CAUSES for line in re.findall(pattern, written)]
        reason = (errors[:1] or written.strip().splitlines()[-1:] or ["its log is empty"])[0]
        return EmbeddedError(
            f"{self.name} cannot start: {reason} (log: {self.log}){folders.disk_warning()}"
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
    """Return a function that the new process calls before it executes the server."""
    parent = os.getpid()

    def prepare() -> None:
        become()  # first, because a change of the user id resets the death signal
        parent_death.end_with(parent, death_signal)

    return prepare
