"""Start, watch, restart and stop the commands that `manage.py run` consists of."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import IO, Self

from . import data_folder, embedded, logs, parent_death
from .backoff import Backoff

STOP_TIMEOUT = 10.0  # seconds until a command that does not stop is killed
EARLY = 5.0  # seconds; a command that ends sooner failed at its start
# Longest pauses between attempts, in seconds. A server is restarted soon after the cause is gone. A
# job, which reads the warehouse for minutes, waits longer.
LONGEST_PAUSE, LONGEST_JOB_PAUSE = 30.0, 600.0
LONGEST_SERVER_PAUSE = 10.0


class Child:
    """A management command in a process of its own, with a log file.

    It is restarted whenever it ends, except a job that ended successfully. The first attempt of a
    job writes to the terminal instead of the log.
    """

    def __init__(self, arguments: tuple[str, ...], write: Callable[[str], object], *, job: bool):
        self.name, self.job = arguments[0], job
        self.command = [sys.executable, str(data_folder.PROJECT / "manage.py"), *arguments]
        self.log = data_folder.folder() / "logs" / f"{self.name}.log"
        self.backoff = Backoff(write, LONGEST_JOB_PAUSE if job else LONGEST_PAUSE)
        self.process: subprocess.Popen[bytes] | None = None
        self.attempts, self.done = 0, False

    def check(self) -> None:
        """Start the command if it is not running and its next attempt is due."""
        if self.process and self.process.poll() is not None:
            self._ended(self.process.returncode)
        if not (self.process or self.done) and self.backoff.due:
            try:
                self._start()
            except OSError as error:
                self.backoff.failed(f"{self.name} cannot be started: {error}.")

    def _ended(self, code: int) -> None:
        self.process = None
        if self.job and code == 0:
            self.done = True
            self.backoff.succeeded(f"{self.name} has succeeded now.")
            return
        if not self.job and time.monotonic() - self.started_at > EARLY:
            self.backoff.succeeded()
        reason = "see its error above" if self._on_terminal else _last_line(self.log).rstrip(".")
        self.backoff.failed(
            f"{self.name} ended with code {code}: {reason}. AirSense restarts it and keeps serving"
            f" the published tables. Log: {self.log}"
        )

    def _start(self) -> None:
        self.attempts += 1
        with ExitStack() as files:
            out = None if self._on_terminal else files.enter_context(_open_log(self.log))
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C reaches only this process, which stops the others
                preexec_fn=partial(parent_death.end_with, os.getpid()),
            )
        self.started_at = time.monotonic()

    @property
    def _on_terminal(self) -> bool:
        return self.job and self.attempts <= 1


class Processes:
    """Context manager that keeps commands and the embedded servers running until it exits.

    The commands also end if this process is killed, because each asks the kernel for a signal at
    its parent's death. Use it from the main thread: the kernel watches the thread that starts them.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self.write = write
        self.children: list[Child] = []
        self.servers = Backoff(write, LONGEST_SERVER_PAUSE)
        self.logs = data_folder.folder() / "logs"
        self.logs.mkdir(exist_ok=True)
        logs.begin(self.logs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        running = [child.process for child in self.children if child.process]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # with its own children
                process.wait()

    def start(self, *arguments: str, job: bool = False) -> Child:
        """Start a management command and keep it running; a job runs until it succeeds."""
        child = Child(arguments, self.write, job=job)
        self.children.append(child)
        child.check()
        return child

    def watch(self) -> None:
        """Keep everything running until this process is interrupted."""
        while True:
            self.check()
            time.sleep(1)

    def check(self) -> None:
        """Restart each command that has ended and is due; retry later if one cannot be started."""
        if self._servers_run():
            for child in self.children:
                child.check()

    def _servers_run(self) -> bool:
        """Whether the embedded servers run, which every command needs; restart them if not."""
        if not self.servers.due:
            return False
        try:
            embedded.ensure()
        except (data_folder.StartError, OSError) as error:
            self.servers.failed(f"AirSense waits: {error}. It retries every few seconds.")
            return False
        self.servers.succeeded("PostgreSQL and Valkey answer again.")
        return True


def _open_log(log: Path) -> IO[bytes]:
    """Open the log to append, or /dev/null if that fails: the command matters more than its log."""
    try:
        return log.open("ab")
    except OSError:
        return open(os.devnull, "ab")


def _last_line(log: Path) -> str:
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4_096))
        lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "its log is empty"
    return "its log cannot be read"
