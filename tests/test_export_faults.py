"""Exports whose workers are killed, paused or duplicated."""

import hashlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest

from tests.commands import Command
from tests.exporting import RELATION, TABLE, execute, files, row, slowly, start, sweep, swept
from tests.platform import Platform, Site, until
from tests.platforms import own_platform

ROWS = 15_000
FLIGHTS = "\n".join(f"2013-01-{1 + n % 28:02},Airline {n},A,B,{n % 60},5" for n in range(ROWS))
LOST_AFTER = 3  # seconds


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A published table, whose exports are queued again after LOST_AFTER without a heartbeat."""
    with own_platform(AIRSENSE_HOME=str(tmp_path_factory.mktemp("home"))) as own:
        own.ingest(FLIGHTS)
        own.manage("transfer", TABLE)
        yield Platform({**own.env, "EXPORT_LOST_AFTER": str(LOST_AFTER), "EXPORTS_MAX_MIB": "2"})


@pytest.fixture(scope="module")
def site(platform: Platform) -> Iterator[Site]:
    with platform.site(processes=1) as site:
        yield site


@pytest.fixture
def export_folder(platform: Platform) -> Path:
    """The folder of exports; each test begins with none."""
    folder = Path(platform.env["AIRSENSE_HOME"]) / "exports"
    execute(platform, "TRUNCATE flights_export CASCADE")
    for file in files(folder):
        file.unlink()
    return folder


def worker(platform: Platform) -> AbstractContextManager[Command]:
    return platform.running("worker", "--concurrency=1")


def midway(platform: Platform, key: str) -> None:
    until(lambda: row(platform, key)["status"] == "running" and row(platform, key)["bytes"])


def assert_complete(platform: Platform, site: Site, key: str, folder: Path) -> None:
    """Check that the export is done and equals the streamed file, and that no other file exists."""
    until(lambda: swept(platform, key) == "done", seconds=60)
    done = row(platform, key)
    body = site.get(f"/api/{TABLE}/?{done['query']}&format={done['format']}").body
    assert done["digest"] == hashlib.sha256(body).hexdigest()
    (file,) = files(folder)
    assert file.read_bytes() == body


def test_the_export_of_a_killed_worker_is_made_again(
    platform: Platform, site: Site, export_folder: Path
) -> None:
    with slowly(platform):
        with worker(platform) as process:
            key = start(platform)
            midway(platform, key)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        (half,) = files(export_folder)
        assert half.stat().st_size > 0
        time.sleep(LOST_AFTER)
        sweep(platform)
        lost = row(platform, key)
        assert (lost["status"], lost["error"]) == ("queued", "The worker stopped unexpectedly.")
        assert files(export_folder) == []
    with worker(platform):
        assert_complete(platform, site, key, export_folder)
    assert row(platform, key)["attempts"] == 2


@pytest.mark.deep
def test_a_worker_that_resumes_after_a_pause_does_no_harm(
    platform: Platform, site: Site, export_folder: Path
) -> None:
    with slowly(platform), worker(platform) as frozen:
        key = start(platform)
        midway(platform, key)
        os.killpg(frozen.pid, signal.SIGSTOP)
        time.sleep(LOST_AFTER)
        sweep(platform)
        with worker(platform):
            until(lambda: swept(platform, key) == "done", seconds=60)
            os.killpg(frozen.pid, signal.SIGCONT)
            time.sleep(3)  # until it notices that another worker took its export
    assert_complete(platform, site, key, export_folder)


def test_of_two_workers_one_makes_an_export(
    platform: Platform, site: Site, export_folder: Path
) -> None:
    keys = [start(platform), start(platform, "limit=10")]
    platform.python("from flights import tasks; tasks.make_exports.delay()")
    with slowly(platform), worker(platform), worker(platform):
        midway(platform, keys[0])
        time.sleep(1)
        assert row(platform, keys[1])["status"] == "queued"
        until(lambda: row(platform, keys[1])["status"] == "done")
    assert [row(platform, key)["attempts"] for key in keys] == [1, 1]
    assert len(files(export_folder)) == 2


def test_an_export_states_its_progress(platform: Platform, site: Site, export_folder: Path) -> None:
    token = platform.token()
    with slowly(platform), worker(platform):
        key = start(platform)
        midway(platform, key)
        body = site.get(f"/api/exports/{key}", Authorization=f"Token {token}").json()
        assert body["status"] == "running"
        assert 0 < body["rows_done"] < body["rows_total"] == ROWS
        assert 0 < body["bytes"] < 1_000_000
        assert body["rows_per_second"] > 0
        assert 0 < body["seconds_left"] < 30


@pytest.mark.parametrize(
    "query",
    [
        "order_by=-Arrival_Delay_Minutes,Airline_Name",
        pytest.param("", marks=pytest.mark.deep),
        pytest.param("Arrival_Delay_Minutes__gte=0", marks=pytest.mark.deep),
    ],
)
def test_deleting_an_export_stops_its_worker(
    platform: Platform, export_folder: Path, query: str
) -> None:
    """Even while PostgreSQL still sorts or counts and has returned no row."""
    with slowly(platform, pause=0.3), worker(platform):
        key = start(platform, query)
        until(lambda: running_copies(platform))
        platform.python(
            "from flights.exports import retention; from flights.models import Export;"
            "retention.remove(Export.objects.all())"
        )
        until(lambda: not running_copies(platform), seconds=10)
        assert files(export_folder) == []
        assert row(platform, key) == {}


def running_copies(platform: Platform) -> bool:
    sql = "SELECT FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'"
    with psycopg.connect(platform.env["DATABASE_URL"]) as connection:
        return connection.execute(f"{sql} AND datname = current_database()").rowcount > 0


@pytest.mark.deep
def test_an_export_fails_when_its_worker_is_killed_on_every_attempt(
    platform: Platform, export_folder: Path
) -> None:
    own = Platform({**platform.env, "EXPORT_ATTEMPTS": "1"})
    with slowly(own):
        with worker(own) as process:
            key = start(own)
            midway(own, key)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        time.sleep(LOST_AFTER)
        sweep(own)
    failed = row(own, key)
    assert (failed["status"], failed["error"]) == ("failed", "The worker stopped unexpectedly.")
    assert files(export_folder) == []


def test_exports_together_have_a_limit(platform: Platform, export_folder: Path) -> None:
    with worker(platform):
        key = start(platform, format_="ndjson")  # 2.5 MB
        until(lambda: row(platform, key)["status"] == "failed")
    assert row(platform, key)["error"] == (
        "All exports together may have 2 MiB. Ask for less, or wait until others expire."
    )
    assert files(export_folder) == []


def test_a_version_that_a_queued_export_needs_is_not_pruned(
    platform: Platform, export_folder: Path
) -> None:
    own = Platform({**platform.env, "VERSIONS_KEPT": "1"})
    key = start(own)
    own.manage("transfer", TABLE, "--force")
    own.manage("transfer", TABLE, "--force")
    with worker(own):
        until(lambda: row(own, key)["status"] == "done")
    assert row(own, key)["number"] == 1
    own.python("from transfers import services; services.reap()")
    assert RELATION not in own.manage("versions")


def test_an_export_of_a_pruned_version_fails(platform: Platform, export_folder: Path) -> None:
    key = start(platform)
    execute(platform, f"UPDATE flights_export SET number = 77 WHERE id = '{key}'")
    with worker(platform):
        until(lambda: row(platform, key)["status"] == "failed")
    assert row(platform, key)["error"] == "Its version was removed. Request the export again."


@pytest.mark.deep
def test_workers_that_are_killed_at_any_moment_lose_no_export(
    platform: Platform, site: Site, export_folder: Path
) -> None:
    own = Platform({**platform.env, "EXPORT_ATTEMPTS": "100"})
    key = start(own)
    with slowly(own, pause=0.005):
        for number in range(8):
            sweep(own)
            with worker(own) as process:
                until(lambda: row(own, key)["status"] in ("running", "done"))
                time.sleep(number * 0.1)
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            before = row(own, key)
            assert len(files(export_folder)) <= 1
            time.sleep(LOST_AFTER)
            sweep(own)
            assert row(own, key)["status"] == ("done" if before["status"] == "done" else "queued")
    sweep(own)
    with worker(own):
        assert_complete(own, site, key, export_folder)
