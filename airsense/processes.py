"""The commands that `manage.py run` starts, watches, starts again and stops."""

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
from .backoff import Patience

STOPS_WITHIN = 10.0  # seconds; then the kernel stops it
EARLY = 5.0  # seconds; a command that ends sooner than this failed at its start
# The longest pauses in seconds: a command is back soon after what it needs; what fills the tables
# can take minutes and reads the warehouse.
LONGEST_PAUSE, LONGEST_PAUSE_OF_A_JOB = 30.0, 600.0
LONGEST_PAUSE_OF_SERVERS = 10.0


class Child:
    """A management command in a process of its own, which logs to a file.

    A job ends with its success; what else ends is started again. The first attempt of a job writes
    to this process's terminal.
    """

    def __init__(self, arguments: tuple[str, ...], say: Callable[[str], object], *, job: bool):
        self.name, self.job = arguments[0], job
        self.command = [sys.executable, str(data_folder.PROJECT / "manage.py"), *arguments]
        self.log = data_folder.folder() / "logs" / f"{self.name}.log"
        self.patience = Patience(say, LONGEST_PAUSE_OF_A_JOB if job else LONGEST_PAUSE)
        self.process: subprocess.Popen[bytes] | None = None
        self.attempts, self.done = 0, False

    def look(self) -> None:
        """Start it where it does not run and its next attempt is due."""
        if self.process and self.process.poll() is not None:
            self._ended(self.process.returncode)
        if not (self.process or self.done) and self.patience.due:
            try:
                self._start()
            except OSError as error:
                self.patience.failed(f"{self.name} cannot be started: {error}.")

    def _ended(self, code: int) -> None:
        self.process = None
        if self.job and code == 0:
            self.done = True
            self.patience.succeeded(f"{self.name} has succeeded now.")
            return
        if not self.job and time.monotonic() - self.started > EARLY:
            self.patience.succeeded()
        reason = "its reason is above" if self._on_terminal else _last_line(self.log).rstrip(".")
        self.patience.failed(
            f"{self.name} ended ({code}): {reason}. AirSense starts it again; whatever is published"
            f" is served meanwhile. Log: {self.log}"
        )

    def _start(self) -> None:
        self.attempts += 1
        with ExitStack() as opened:
            out = None if self._on_terminal else opened.enter_context(_appended(self.log))
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C reaches this process, which stops them in order
                preexec_fn=partial(parent_death.end_with, os.getpid()),
            )
        self.started = time.monotonic()

    @property
    def _on_terminal(self) -> bool:
        return self.job and self.attempts <= 1


class Processes:
    """The commands, and the embedded servers that they need.

    They end with the block, and with this process if that is killed: each asks the kernel for a
    signal at its parent's death. Use it from the main thread, whose end counts as that death.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self.say = say
        self.children: list[Child] = []
        self.servers = Patience(say, LONGEST_PAUSE_OF_SERVERS)
        self.logs = data_folder.folder() / "logs"
        self.logs.mkdir(exist_ok=True)
        logs.begin(self.logs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        running = [child.process for child in self.children if child.process]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOPS_WITHIN
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # its own children too
                process.wait()

    def start(self, *arguments: str, job: bool = False) -> Child:
        child = Child(arguments, self.say, job=job)
        self.children.append(child)
        child.look()
        return child

    def watch(self) -> None:
        """Keep everything running until this process is told to stop."""
        while True:
            self.check()
            time.sleep(1)

    def check(self) -> None:
        """Bring back what has ended; what cannot be brought back now is tried again later."""
        if self._servers_answer():
            for child in self.children:
                child.look()

    def _servers_answer(self) -> bool:
        """Whether the embedded servers run; nothing can be started without them."""
        if not self.servers.due:
            return False
        try:
            embedded.ensure()
        except (data_folder.StartError, OSError) as error:
            self.servers.failed(f"AirSense waits: {error}. It tries again every few seconds.")
            return False
        self.servers.succeeded("PostgreSQL and Valkey answer again.")
        return True


def _appended(log: Path) -> IO[bytes]:
    """The log; nowhere where it cannot be opened, as a command is worth more than its log."""
    try:
        return log.open("ab")
    except OSError:
        return open(os.devnull, "ab")


def _last_line(log: Path) -> str:
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4_096))
        lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it wrote nothing"
    return "its log cannot be read"
