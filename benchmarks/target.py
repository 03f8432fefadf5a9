"""Run a separate platform to measure: the demo flights and default settings."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.platform import Platform, Response, Site, free_port, until

# Open files: each of 6,000 users has a connection, and the client and the server hold one end each.
OPEN_FILES = 16_384
# Requests per minute of the benchmarks' API key; no benchmark reaches them.
RATE = 2_000_000_000


@dataclass(frozen=True)
class Target:
    """A running platform."""

    platform: Platform
    site: Site
    pid: int  # of the web server's main process
    database: str  # URL of PostgreSQL
    headers: dict[str, str]  # headers of each request: an API key
    start_seconds: float  # from the command to the first response

    def get(self, path: str, **headers: str) -> Response:
        return self.site.get(path, **self.headers, **headers)

    def relation(self, table: str) -> str:
        """Name of the PostgreSQL table that contains the current version's rows."""
        response = self.get(f"/api/{table}/?limit=1")
        return response.headers["x-airsense-version"].replace("/", "__v")


@contextmanager
def empty() -> Iterator[Platform]:
    """A platform without tables. Importing tests.servers points this process to a new database."""
    from tests import servers

    platform = Platform(servers.own_environment())
    platform.manage("setup")
    try:
        yield platform
    finally:
        platform.remove()


@contextmanager
def demo() -> Iterator[Target]:
    """A running platform with the demo flights."""
    _raise_file_limit()
    with empty() as platform:
        for command in (["ingest", "--demo"], ["broker"], ["transfer", "--all"]):
            platform.manage(*command)
        with running_target(platform) as target:
            yield target


@contextmanager
def running_target(platform: Platform) -> Iterator[Target]:
    """Run the web server of a platform."""
    port, headers = free_port(), _api_key(platform)
    site, started_at = Site(f"http://127.0.0.1:{port}"), time.perf_counter()
    with platform.started("serve", f"--port={port}") as process:
        until(lambda: _answers(site), 60)
        seconds = time.perf_counter() - started_at
        yield Target(platform, site, process.pid, platform.env["DATABASE_URL"], headers, seconds)


def _api_key(platform: Platform) -> dict[str, str]:
    return {"X-API-Key": platform.manage("apikey", "benchmark", f"--rate={RATE}").strip()}


def _answers(site: Site) -> bool:
    try:
        return site.get("/readyz").status == 200
    except OSError:
        return False


def _raise_file_limit() -> None:
    """Raise the limit of open files; child processes inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES:
        need = f"The benchmark needs {OPEN_FILES} open files, but the limit is {hard}."
        sys.exit(f"{need} Raise it: ulimit -Hn {OPEN_FILES}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, hard))
