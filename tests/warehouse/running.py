"""Start the SQL warehouse as a separate process, and control it from tests."""

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

# The credentials that the server accepts.
TOKEN, CLIENT, SECRET = "dapi-of-the-tests", "client-of-the-tests", "secret-of-the-tests"


@dataclass(frozen=True)
class Served:
    """A running warehouse."""

    url: str  # a WAREHOUSE_URL
    folder: Path
    process: int  # process id

    def schema(self, name: str) -> "Served":
        """Create an empty schema, and return the same server with a URL of that schema."""
        self.set(schema=name)
        return Served(self.url.replace("/flights?", f"/{name}?"), self.folder, self.process)

    @property
    def env(self) -> dict[str, str]:
        """The settings of a platform that uses this warehouse."""
        ca_file = self.folder / "ca.pem"
        return {
            "WAREHOUSE_URL": self.url,
            "DATABRICKS_TOKEN": TOKEN,
            "DATABRICKS_CA_FILE": str(ca_file) if ca_file.exists() else "",
        }

    def fault(self, at: str, do: str, **more: Any) -> None:
        """Add a fault; the arguments are those of `tests.warehouse.faults.Fault`."""
        self._request("POST", "/_faults", {"at": at, "do": do, **more})

    def clear_faults(self) -> None:
        """Remove all faults that have not happened yet."""
        self._request("DELETE", "/_faults")

    def set(self, **values: Any) -> None:
        """Change `token_lifetime` (seconds), `state`, `links`, `file_rows` or `answer_rows`."""
        self._request("POST", "/_settings", values)

    def log(self) -> dict[str, list[str]]:
        """Return {"calls": [...]}: the names of all Thrift calls and other requests, in order."""
        log: dict[str, list[str]] = json.loads(self._request("GET", "/_log"))
        return log

    def _request(self, method: str, path: str, body: object = None) -> bytes:
        secure = self.url.startswith("databricks:")
        address = f"http{'s' * secure}://{urlsplit(self.url).netloc}{path}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(address, data, method=method)
        trust = ssl.create_default_context(cafile=self.folder / "ca.pem") if secure else None
        with urllib.request.urlopen(request, timeout=10, context=trust) as response:
            return bytes(response.read())


@contextmanager
def running(folder: Path, *flags: str) -> Iterator[Served]:
    """Run a warehouse during a `with` block; `flags` are those of `python -m tests.warehouse`."""
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
            assert url, "the warehouse did not start"
            yield Served(url, folder, process.pid)
        finally:
            process.terminate()
