"""The platform that is measured: one of its own with the demo flights, as it is shipped."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.platform import Answer, Platform, Site, free_port, until

# Each of 6,000 users has a connection, which both sides hold.
FILES = 16_384
# Requests a minute that no benchmark reaches; the public may ask less.
ALLOWANCE = 2_000_000_000


@dataclass(frozen=True)
class Target:
    platform: Platform
    site: Site
    pid: int  # of the web server's main process
    database: str  # PostgreSQL's address
    headers: dict[str, str]  # of each request: an API key, where the platform has them
    started: float  # seconds from the command to the first answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.site.get(path, **self.headers, **headers)

    def relation(self, table: str) -> str:
        """Where the rows of the current version are."""
        answer = self.get(f"/api/{table}/?limit=1")
        return answer.headers["x-airsense-version"].replace("/", "__v")


@contextmanager
def empty() -> Iterator[Platform]:
    """A platform that is set up; importing its servers leads this process to a new database."""
    from tests import servers

    platform = Platform(servers.own_environment())
    platform.manage("setup")
    try:
        yield platform
    finally:
        platform.remove()


@contextmanager
def demo() -> Iterator[Target]:
    _allow_files()
    with empty() as platform:
        for command in (["ingest", "--demo"], ["broker"], ["transfer", "--all"]):
            platform.manage(*command)
        with served(platform) as target:
            yield target


@contextmanager
def served(platform: Platform) -> Iterator[Target]:
    port, headers = free_port(), _allowed(platform)
    site, began = Site(f"http://127.0.0.1:{port}"), time.perf_counter()
    with platform.started("serve", f"--port={port}") as process:
        until(lambda: _answers(site), 60)
        started = time.perf_counter() - began
        yield Target(platform, site, process.pid, platform.env["DATABASE_URL"], headers, started)


def _allowed(platform: Platform) -> dict[str, str]:
    return {"X-API-Key": platform.manage("apikey", "benchmark", f"--rate={ALLOWANCE}").strip()}


def _answers(site: Site) -> bool:
    try:
        return site.get("/readyz").status == 200
    except OSError:
        return False


def _allow_files() -> None:
    """What is started inherits it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        sys.exit(f"The benchmark needs {FILES} open files, {hard} are allowed: ulimit -Hn {FILES}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
