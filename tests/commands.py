"""Run `manage.py` commands in processes that are forked with the libraries already loaded.

Most commands take longer to import the libraries than to run, and tests run hundreds of them. Two
servers (tests.fork_server) fork the commands of all test processes of a run.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from airsense import data_folder
from airsense.embedded import folders

TRACING = "OTEL_EXPORTER_OTLP_ENDPOINT"
# The process of a whole run of tests, or of a benchmark.
RUN = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


class Command:
    """A command that runs, alone in its process group. It ends when the test's process does."""

    def __init__(self, command: list[str], env: dict[str, str], out: Path, errors: Path) -> None:
        self._connection = _connect(_server_for(command[0], env))
        self._connection.send(json.dumps([command, env, str(out), str(errors)]).encode())
        self.pid = int(self._connection.recv(32))
        self._code: int | None = None

    @property
    def returncode(self) -> int | None:
        return self._receive(0)

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, seconds: float | None = None) -> int:
        code = self._receive(seconds)
        if code is None:
            raise subprocess.TimeoutExpired("manage.py", seconds or 0)
        return code

    def _receive(self, seconds: float | None) -> int | None:
        """The exit code, which may come within some seconds."""
        if self._code is None:
            self._connection.settimeout(seconds)
            try:
                self._code = int(self._connection.recv(32))
            except (TimeoutError, BlockingIOError):
                return None
            self._connection.close()
        return self._code

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    program: Path | str, arguments: tuple[str, ...], env: dict[str, str], seconds: float
) -> "subprocess.CompletedProcess[str]":
    """Run a script or a module of the tests, and return its output; kill it after `seconds`."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder, "stdout"), Path(folder, "stderr")
        process = Command([str(program), *arguments], env, output, errors)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(arguments, code, output.read_text(), errors.read_text())


def _server_for(program: str, env: dict[str, str]) -> str:
    """A copy of the project has models of its own; tracing is installed while Django is loaded."""
    is_copy = program.endswith(".py") and Path(program).parent != data_folder.PROJECT
    return "libraries" if is_copy or TRACING in env else "django"


def _connect(server: str) -> socket.socket:
    """Connect to a server of this run; the first process starts them, while the others wait."""
    folder = folders.socket_folder()
    with Path(folder, "commands.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not Path(folder, f"django-{RUN}").exists():
            servers = [sys.executable, "-m", "tests.fork_server", str(folder), str(RUN)]
            subprocess.run(servers, cwd=data_folder.PROJECT, stdin=subprocess.DEVNULL, check=True)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(f"{folder}/{server}-{RUN}")
    return connection
