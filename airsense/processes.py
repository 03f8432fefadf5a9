"""The long-running commands that `manage.py run` starts, watches and stops."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self

from . import embedded, home, lifeline, logs

STOPS_WITHIN = 10.0  # seconds; then the kernel stops it
# A command that dies this often this soon after its start will not come up by being started again.
EARLY, TRIES = 5.0, 3


class Died(home.StartError):
    """A command cannot be kept running."""


@dataclass
class Child:
    command: list[str]
    process: "subprocess.Popen[bytes]"
    started: float = field(default_factory=time.monotonic)
    early_deaths: int = 0


class Processes:
    """Management commands in processes of their own, logging to the data folder.

    They end with the block, and with this process if that is killed: each asks the kernel for a
    signal at its parent's death. Use it from the main thread, whose end counts as that death.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self.say = say
        self.children: dict[str, Child] = {}
        self.logs = home.folder() / "logs"
        self.logs.mkdir(exist_ok=True)
        logs.begin(self.logs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.children.values():
            child.process.terminate()
        deadline = time.monotonic() + STOPS_WITHIN
        for child in self.children.values():
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.process.pid, signal.SIGKILL)  # its own children too
                child.process.wait()

    def start(self, name: str, *arguments: str) -> None:
        command = [sys.executable, str(home.PROJECT / "manage.py"), name, *arguments]
        self.children[name] = Child(command, self._spawn(name, command))

    def watch(self) -> None:
        """Keep everything running until this process is told to stop."""
        while True:
            embedded.ensure()
            self.check()
            time.sleep(1)

    def check(self) -> None:
        """Start again what has died; Died where that does not help."""
        for name, child in self.children.items():
            if child.process.poll() is not None:
                self._restart(name, child)

    def _restart(self, name: str, child: Child) -> None:
        early = time.monotonic() - child.started < EARLY
        child.early_deaths = child.early_deaths + 1 if early else 0
        log = self.logs / f"{name}.log"
        if child.early_deaths >= TRIES:
            raise Died(f"{name} does not stay up: {_last_line(log)} (more in {log})")
        self.say(f"{name} stopped ({child.process.returncode}); starting it again. Log: {log}")
        child.process, child.started = self._spawn(name, child.command), time.monotonic()

    def _spawn(self, name: str, command: list[str]) -> "subprocess.Popen[bytes]":
        with (self.logs / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches this process, which stops them in order
                preexec_fn=partial(lifeline.end_with, os.getpid()),
            )


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
