"""A SQL warehouse in a process of its own, for tests."""

import json
import os
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from airsense import data_folder, parent_death

# The credentials that it takes.
TOKEN, CLIENT, SECRET = "dapi-of-the-tests", "client-of-the-tests", "secret-of-the-tests"


@dataclass(frozen=True)
class Served:
    url: str  # a WAREHOUSE_URL
    folder: Path
    process: int  # its id

    def schema(self, name: str) -> "Served":
        """The same server with a new, empty schema."""
        self.set(schema=name)
        return Served(self.url.replace("/flights?", f"/{name}?"), self.folder, self.process)

    @property
    def env(self) -> dict[str, str]:
        """The settings of a platform on it."""
        ca_file = self.folder / "ca.pem"
        return {
            "WAREHOUSE_URL": self.url,
            "DATABRICKS_TOKEN": TOKEN,
            "DATABRICKS_CA_FILE": str(ca_file) if ca_file.exists() else "",
        }

    def fault(self, at: str, do: str, **more: Any) -> None:
        """See `tests.warehouse.faults`."""
        self._ask("POST", "/_faults", {"at": at, "do": do, **more})

    def mend(self) -> None:
        self._ask("DELETE", "/_faults")

    def set(self, **values: Any) -> None:
        """`token_lifetime` (seconds), `state`, `links`, `file_rows`, `answer_rows`."""
        self._ask("POST", "/_settings", values)

    def log(self) -> dict[str, list[str]]:
        """The `calls` and the statements that `ran`."""
        found: dict[str, list[str]] = json.loads(self._ask("GET", "/_log"))
        return found

    def _ask(self, method: str, path: str, body: object = None) -> bytes:
        secure = self.url.startswith("databricks:")
        address = f"http{'s' * secure}://{urlsplit(self.url).netloc}{path}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(address, data, method=method)
        trust = ssl.create_default_context(cafile=self.folder / "ca.pem") if secure else None
        with urllib.request.urlopen(request, timeout=10, context=trust) as answer:
            return bytes(answer.read())


@contextmanager
def running(folder: Path, *flags: str) -> Iterator[Served]:
    """Flags as of `python -m tests.warehouse`."""
    command = [sys.executable, "-m", "tests.warehouse", "--folder", str(folder), *flags]
    with subprocess.Popen(
        command,
        cwd=data_folder.PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=partial(parent_death.end_with, os.getpid()),
    ) as process:
        assert process.stdout
        try:
            url = process.stdout.readline().strip()
            assert url, "it did not start"
            yield Served(url, folder, process.pid)
        finally:
            process.terminate()
