"""Platforms that belong to one test; importing this module points the process to test databases."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from airsense.embedded import valkey
from tests.platform import Platform, until
from tests.servers import own_environment


@contextmanager
def own_platform(**env: str) -> Iterator[Platform]:
    """Create a platform with an empty database and no warehouse."""
    own = Platform(own_environment(_migrated()) | env)
    own.manage("setup")
    try:
        yield own
    finally:
        own.remove()


@cache
def _migrated() -> str:
    """The database that this process's platforms begin as copies of: to migrate each takes 0.7 s.

    Roles belong to no database, so all that names one is made by each platform's own `setup`.
    """
    own = Platform(own_environment())
    own.manage("migrate")
    return urlsplit(own.env["DATABASE_URL"]).path.strip("/")


@contextmanager
def own_valkey(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a Valkey server for one test that persists its data in a folder."""
    command = [valkey.program(), "--port", "0", "--unixsocket", f"{folder}/valkey.sock"]
    persistence = ["--dir", str(folder), "--appendonly", "yes", "--save", ""]
    with subprocess.Popen([*command, *persistence], stdout=subprocess.DEVNULL) as server:
        until(lambda: (folder / "valkey.sock").exists())
        try:
            yield server
        finally:
            server.kill()
