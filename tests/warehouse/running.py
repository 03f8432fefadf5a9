"""Start the SQL warehouse as a separate process, and control it from tests."""

import json
import os
import ssl
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_django import Settings

from tests.commands import Command
from tests.platform import until

# The credentials that the server accepts.
TOKEN, CLIENT, SECRET = "dapi-of-the-tests", "client-of-the-tests", "secret-of-the-tests"
GOOGLE = "tests@project.iam.gserviceaccount.com"


@dataclass(frozen=True)
class WarehouseServer:
    """A running warehouse."""

    url: str  # a WAREHOUSE_URL
    folder: Path
    process: int  # process id

    def schema(self, name: str) -> "WarehouseServer":
        """Create an empty schema, and return the same server with a URL of that schema."""
        self.set(schema=name)
        return WarehouseServer(
            self.url.replace("/flights?", f"/{name}?"), self.folder, self.process
        )

    @property
    def env(self) -> dict[str, str]:
        """The settings of a platform that uses this warehouse."""
        ca_file = self.folder / "ca.pem"
        return {
            "WAREHOUSE_URL": self.url,
            "DATABRICKS_TOKEN": TOKEN,
            "DATABRICKS_CA_FILE": str(ca_file) if ca_file.exists() else "",
        }

    def configure(self, settings: Settings) -> None:
        """Make it the warehouse of commands and `connect` in this process."""
        for name, value in self.env.items():
            setattr(settings, name, value)

    def fault(self, at: str, do: str, **more: Any) -> None:
        """Add a fault; the arguments are those of `tests.warehouse.faults.Fault`."""
        self._request("POST", "/_faults", {"at": at, "do": do, **more})

    def clear_faults(self) -> None:
        """Remove all faults that have not happened yet."""
        self._request("DELETE", "/_faults")

    def set(self, **values: Any) -> None:
        """Change a behaviour of the server.

        `token_lifetime` (seconds), `state`, `links`, `link_seconds`, `file_rows`, `answer_rows`;
        `overridden`: settings of sessions that clients cannot change; `without_history`: the error
        for each table whose versions cannot be read; `storage`: the URL to which links lead;
        `arrow_schema`: whether results are described in Arrow; `google_key`: the public key of the
        Google service account.
        """
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
def running(folder: Path, *flags: str) -> Iterator[WarehouseServer]:
    """Run a warehouse during a `with` block; `flags` are those of `python -m tests.warehouse`."""
    with tempfile.TemporaryDirectory() as own:
        output = Path(own, "output")
        arguments = ["--folder", str(folder), *flags]
        process = Command(["tests.warehouse", *arguments], dict(os.environ), output, output)
        try:
            until(lambda: process.poll() is not None or _url(output))
            assert _url(output), output.read_text()
            yield WarehouseServer(_url(output), folder, process.pid)
        finally:
            process.kill()
            process.wait()


def _url(output: Path) -> str:
    """Return the line that the server prints when it has started, if it is complete."""
    line = output.read_text() if output.exists() else ""
    return line.strip() if line.startswith("databricks") and line.endswith("\n") else ""
