"""Run `manage.py run` with a separate data folder."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airsense.data_folder import PROJECT
from tests.platform import Site, free_port, until

UP = "AirSense is up"

type Settings = dict[str, str] | None  # in addition to AIRSENSE_HOME


class Run:
    """A running `manage.py run` with a data folder of its own."""

    def __init__(
        self, home: Path, port: int, log: Path | None = None, settings: Settings = None
    ) -> None:
        self.home, self.site = home, Site(f"http://127.0.0.1:{port}")
        self.log = log or home.with_suffix(".log")
        env = {n: v for n, v in os.environ.items() if not n.endswith("_URL")}
        with self.log.open("wb") as file:
            self.process = subprocess.Popen(
                # Ctrl-C works even where tests run in the background and shells ignore SIGINT.
                [
                    "env",
                    "--default-signal=INT",
                    sys.executable,
                    "manage.py",
                    "run",
                    f"--port={port}",
                ],
                cwd=PROJECT,
                env={**env, "AIRSENSE_HOME": str(home), "COLUMNS": "200", **(settings or {})},
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def output(self) -> str:
        return self.log.read_text()

    def up(self) -> "Run":
        until(lambda: UP in self.output() or self.process.poll() is not None, seconds=90)
        assert self.process.poll() is None, self.output()
        return self

    def is_served(self, path: str) -> bool:
        try:
            return self.site.get(path).status == 200
        except OSError:
            return False

    def processes(self) -> list[int]:
        """Return the ids of all processes that have this data folder in environment or command."""
        return [
            pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self._mine(pid)
        ]

    def _mine(self, pid: int) -> bool:
        try:
            facts = [Path(f"/proc/{pid}/{name}").read_bytes() for name in ("environ", "cmdline")]
        except OSError:
            return False
        return any(str(self.home).encode() in fact for fact in facts)


@contextmanager
def running(home: Path, log: Path | None = None, settings: Settings = None) -> Iterator[Run]:
    run = Run(home, free_port(), log, settings)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()
        until(lambda: not run.processes())
