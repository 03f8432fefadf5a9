"""Platforms of tests' own; loading this leads the process to databases of its own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airsense.embedded import valkey
from tests.servers import own_environment
from tests.whole import Platform, until


@contextmanager
def own_platform(**env: str) -> Iterator[Platform]:
    """A platform with an empty database of its own and no warehouse yet."""
    own = Platform(own_environment() | env)
    own.manage("setup")
    try:
        yield own
    finally:
        own.remove()


@contextmanager
def own_valkey(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A Valkey of the test's own, which keeps its messages in a folder."""
    command = [valkey._program(), "--port", "0", "--unixsocket", f"{folder}/valkey.sock"]
    kept = ["--dir", str(folder), "--appendonly", "yes", "--save", ""]
    with subprocess.Popen([*command, *kept], stdout=subprocess.DEVNULL) as server:
        until(lambda: (folder / "valkey.sock").exists())
        try:
            yield server
        finally:
            server.kill()
