"""Platforms that belong to one test; importing this module points the process to test databases."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from airsense.embedded import valkey
from tests import reader_grants, servers
from tests.platform import Platform, until
from tests.servers import own_environment

# Of a platform that is not a prepared copy: another server, or a key that gives another password.
NEED_SETUP = {"DATABASE_URL", "SECRET_KEY"}


@contextmanager
def own_platform(**env: str) -> Iterator[Platform]:
    """Create a platform with an empty database and no warehouse."""
    environment = own_environment(_prepared())
    own = Platform(environment | {"SECRET_KEY": settings.SECRET_KEY} | env)
    if NEED_SETUP & env.keys():
        own.manage("setup")
    else:
        reader_grants.copy(_prepared(), own.env["DATABASE_URL"])
    try:
        yield own
    finally:
        own.remove()
        servers.remove(_database(environment))


@cache
def _prepared() -> str:
    """The database that platforms begin as copies of: `setup` takes 2 s of CPU."""
    with servers.made_once("prepared") as (original, exists):
        if not exists:
            own = Platform(own_environment())
            own.manage("setup")
            servers.rename(_database(own.env), original)
    return original


def _database(environment: dict[str, str]) -> str:
    return urlsplit(environment["DATABASE_URL"]).path.strip("/")


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
