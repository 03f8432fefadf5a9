"""A complete AirSense in separate processes: commands, web servers and workers on one database."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airsense import data_folder, parent_death
from tests import commands, planted

COLUMNS = (
    "Flight Date,Airline Name,Origin City,Destination City,"
    "Departure Delay Minutes,Arrival Delay Minutes"
)


@dataclass
class Response:
    status: int
    headers: dict[str, str]  # by lower-case name
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Site:
    """A running web server."""

    url: str

    def get(self, path: str, **headers: str) -> Response:
        return self.request("GET", path, None, **headers)

    def request(
        self, method: str, path: str, data: bytes | None = None, **headers: str
    ) -> Response:
        http_headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, data, http_headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return _response(response)
        except urllib.error.HTTPError as response:
            with response:
                return _response(response)


@dataclass
class Platform:
    env: dict[str, str]
    code: Path = data_folder.PROJECT
    # Output of its long-running commands.
    log: Path = field(default_factory=lambda: planted.default_log)

    def manage(self, *arguments: str, seconds: float = 100) -> str:
        """Return the output of a command; fail if the command fails."""
        done = self.attempt(*arguments, seconds=seconds)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def attempt(self, *arguments: str, seconds: float = 100) -> "subprocess.CompletedProcess[str]":
        done = commands.run(self.code / "manage.py", arguments, self._env(), seconds=seconds)
        assert not planted.leaks(done.stderr), arguments
        return done

    def program(self, module: str, *arguments: str) -> str:
        """Return the output of a module of the tests."""
        env = {"DJANGO_SETTINGS_MODULE": "airsense.settings", **self._env()}
        done = commands.run(module, arguments, env, seconds=250)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def python(self, code: str) -> str:
        """Return the output of Python code that runs in a process of the platform."""
        return self.manage("shell", "--no-imports", "--command", code)

    def token(self) -> str:
        """The API token of a superuser."""
        token = self.python(
            "from django.contrib.auth.models import User;"
            "from rest_framework.authtoken.models import Token;"
            "print(Token.objects.get_or_create(user=User.objects.get(username='admin'))[0].key)"
        )
        return planted.add(token.strip())

    @contextmanager
    def running(self, *arguments: str) -> Iterator[commands.Command]:
        """Run a long-running command during the block."""
        self.log.open("ab").close()
        command = [str(self.code / "manage.py"), *arguments]
        process = commands.Command(command, self._env(), self.log, self.log)
        with _stopped(process):
            yield process
        planted.search(self.log)

    @contextmanager
    def started(self, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
        """As `running`, without preloaded libraries: to measure its memory and time."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(self.code / "manage.py"), *arguments],
                env=self._env(),
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(parent_death.end_with, os.getpid()),
            )
        with _stopped(process):
            yield process
        planted.search(self.log)

    @contextmanager
    def site(self, processes: int = 2, *options: str) -> Iterator[Site]:
        """Run the web server during the block."""
        port = free_port()
        options = (f"--port={port}", f"--processes={processes}", *options)
        with self.running("serve", *options) as process:
            site = Site(f"http://127.0.0.1:{port}")
            until(lambda: process.poll() is not None or _is_ready(site))
            assert process.poll() is None, "the web server ended"
            yield site

    def ingest(self, csv: str, how: str = "--replace") -> None:
        """Ingest CSV lines without a header, and run the broker."""
        ingest = f"call_command('ingest', {how!r}, {str(self.csv(csv))!r})"
        self.python(
            f"from django.core.management import call_command; {ingest}; call_command('broker')"
        )

    def csv(self, lines: str) -> Path:
        """A file of raw records."""
        self.warehouse.mkdir(parents=True, exist_ok=True)
        file = self.warehouse / "raw.csv"
        file.write_text(f"{COLUMNS}\n{lines}\n")
        return file

    def remove(self) -> None:
        shutil.rmtree(self.warehouse, ignore_errors=True)

    @property
    def warehouse(self) -> Path:
        """The folder of the embedded warehouse, or one for the records of another warehouse."""
        url = self._env()["WAREHOUSE_URL"]
        if url.startswith("duckdb://"):
            return Path(url.removeprefix("duckdb://"))
        return data_folder.folder() / quote(url, safe="")

    def _env(self) -> dict[str, str]:
        return {**os.environ, **self.env}


@contextmanager
def _stopped(process: "commands.Command | subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until(done: Any, seconds: float = 30) -> None:
    """Wait until `done()` is true; poll rarely, since polling takes processor time."""
    began = time.monotonic()
    while not done():
        waited = time.monotonic() - began
        assert waited < seconds, "it did not come true in time"
        time.sleep(min(0.02 + waited / 10, 0.2))


def most_memory(process: "subprocess.Popen[bytes]") -> int:
    """Watch a process until it ends and return the most memory (MB) that it had.

    `wait4` does not help: its maximum includes the memory of the process that started this one.
    """
    most = 0
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        if "VmHWM:" in status:  # a process that just ended has none
            most = int(status.partition("VmHWM:")[2].split()[0]) >> 10
        time.sleep(0.05)
    return most


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_ready(site: Site) -> bool:
    try:
        return site.get("/healthz").status == 200
    except OSError:
        return False


def _response(response: Any) -> Response:
    headers = {name.lower(): value for name, value in response.headers.items()}
    once = [name.lower() for name in response.headers if name != "Set-Cookie"]
    assert sorted(once) == sorted(set(once)), once
    return Response(response.status, headers, response.read())
