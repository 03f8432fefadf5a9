"""Disks that become full: the platform says so, waits, and is back once there is room."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.runs import Run, running
from tests.whole import free_port, until

PAGE = "/api/airline_performance/?limit=3"
DISK = 900 << 20  # bytes: the demo's tables, indexes and log, and a little more


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small file system of the test's own."""
    if os.geteuid():
        pytest.skip("only root can mount a small file system")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        small = Path(folder) / "disk"
        small.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "small", str(small)]
        done = subprocess.run(mount, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
        try:
            yield small
        finally:
            subprocess.run(["umount", "--lazy", str(small)], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    filling = disk / "filling"
    with filling.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 20))
    with filling.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 9))
    yield
    filling.unlink()


def panic(run: Run) -> None:
    """Write to PostgreSQL's log until it finds no room and stops."""
    url = f"postgresql://airsense@/airsense?host={run.home}/run"
    with suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as connection:
        for number in range(200):
            connection.execute(f"CREATE TABLE filling_{number} ()")
            connection.execute("SELECT pg_switch_wal()")
        pytest.fail("PostgreSQL's log found room on a full disk")


def ended(run: Run) -> bool:
    return run.process.poll() is not None


@pytest.mark.deep
@pytest.mark.timeout(400)
def test_a_platform_that_is_started_on_a_full_disk_waits_too_whatever_its_output_is_written_to(
    disk: Path,
) -> None:
    with running(disk / "home") as run:
        run.up()
        with full(disk):
            panic(run)
            run.process.kill()
            run.process.wait()
            until(lambda: not run.others())
            with running(disk / "home", log=disk.parent / "run.log") as again:
                until(lambda: ended(again) or "AirSense waits: " in again.said(), seconds=60)
                assert not ended(again), again.said()
                again.process.kill()
                again.process.wait()
            third = Run(disk / "home", free_port(), log=disk / "third.log")
            time.sleep(15)  # while it cannot write to its output either
            assert not ended(third)
        try:
            until(lambda: third.answers("/readyz"), seconds=120)
            assert third.site.get(PAGE).status == 200
        finally:
            third.process.kill()
            third.process.wait()
            until(lambda: not third.others())


@pytest.mark.deep
@pytest.mark.timeout(400)
def test_a_platform_whose_disk_is_full_waits_and_is_back_by_itself(disk: Path) -> None:
    with running(disk / "home", log=disk.parent / "run.log") as run:
        run.up()
        before = run.site.get(PAGE).json()["results"]
        with full(disk):
            panic(run)
            until(lambda: ended(run) or "bytes free: make room" in run.said(), seconds=120)
            assert not ended(run), run.said()
            time.sleep(20)  # several more attempts, which repeat no message
            assert run.said().count("AirSense waits") <= 2, run.said()
            assert run.site.get("/healthz").status == 200
        until(lambda: run.answers("/readyz"), seconds=120)
        assert run.site.get(PAGE).json()["results"] == before
        until(lambda: "PostgreSQL and Valkey answer again." in run.said())
