"""Full disks: the platform reports them, waits, and recovers once there is space."""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from airsense import logs
from tests.fault_probes import last, worker
from tests.platform import Platform, free_port, until
from tests.platforms import own_valkey
from tests.runs import Run, running
from tests.small_disk import small_disk

PAGE = "/api/airline_performance/?limit=3"
DISK = 900 << 20  # bytes: the demo's tables, indexes and write-ahead log, and a little more


@pytest.fixture
def disk() -> Iterator[Path]:
    """A disk for the data folder of one test."""
    with small_disk(DISK) as small:
        yield small


@contextmanager
def full(disk: Path, leave: int = 0) -> Iterator[None]:
    """Fill the disk during the block except for some bytes."""
    filling = disk / "filling"
    with filling.open("wb", buffering=0) as file, suppress(OSError):
        for size in (1 << 20, 1 << 9):
            while shutil.disk_usage(disk).free > leave:
                file.write(bytes(size))
    try:
        yield
    finally:
        filling.unlink()


def connected(run: Run) -> "psycopg.Connection[Any]":
    url = f"postgresql://airsense@/airsense?host={run.home}/run"
    return psycopg.connect(url, autocommit=True)


def panic(run: Run) -> None:
    """Write to PostgreSQL's write-ahead log until it has no room and PostgreSQL stops.

    It writes to the log alone: if a table has no room, PostgreSQL raises an error and goes on.
    """
    with suppress(psycopg.OperationalError), connected(run) as connection:
        for _ in range(200):
            connection.execute("SELECT pg_logical_emit_message(false, 'filling', 'the log')")
            connection.execute("SELECT pg_switch_wal()")
        pytest.fail("PostgreSQL's write-ahead log has room on a full disk")


def ended(run: Run) -> bool:
    return run.process.poll() is not None


@pytest.mark.deep
@pytest.mark.timeout(400)
def test_a_platform_started_on_a_full_disk_waits_even_if_it_cannot_write_its_output(
    disk: Path,
) -> None:
    with running(disk / "home") as run:
        run.up()
        with full(disk):
            panic(run)
            run.process.kill()
            run.process.wait()
            until(lambda: not run.processes())
            with running(disk / "home", log=disk.parent / "run.log") as again:
                until(lambda: ended(again) or "AirSense waits: " in again.output(), seconds=60)
                assert not ended(again), again.output()
                again.process.kill()
                again.process.wait()
            third = Run(disk / "home", free_port(), log=disk / "third.log")
            time.sleep(15)  # while it cannot write to its output either
            assert not ended(third)
        try:
            until(lambda: third.is_served("/readyz"), seconds=120)
            assert third.site.get(PAGE).status == 200
        finally:
            third.process.kill()
            third.process.wait()
            until(lambda: not third.processes())


@pytest.mark.deep
@pytest.mark.timeout(400)
def test_a_platform_whose_disk_is_full_waits_and_is_back_by_itself(disk: Path) -> None:
    with running(disk / "home", log=disk.parent / "run.log") as run:
        run.up()
        before = run.site.get(PAGE).json()["results"]
        with full(disk):
            panic(run)
            until(lambda: ended(run) or "bytes free: free some space" in run.output(), seconds=120)
            assert not ended(run), run.output()
            time.sleep(20)  # several more attempts, which repeat no message
            messages = re.findall("AirSense waits.*", run.output())
            kinds = {re.sub(r"[\d,]+", "", message) for message in messages}
            assert len(messages) == len(kinds) <= 4, run.output()
            assert run.site.get("/healthz").status == 200
        until(lambda: run.is_served("/readyz"), seconds=120)
        assert run.site.get(PAGE).json()["results"] == before
        until(lambda: "PostgreSQL and Valkey answer again." in run.output())


@pytest.mark.deep
@pytest.mark.timeout(400)
def test_a_transfer_stops_in_the_middle_of_an_index_when_others_fill_the_disk(disk: Path) -> None:
    with running(disk / "home", log=disk.parent / "run.log") as run:
        run.up()
        own = Platform(
            {
                "AIRSENSE_HOME": str(run.home),
                "WAREHOUSE_URL": f"duckdb://{run.home}/warehouse",
                "DATABASE_URL": "",
                "REDIS_URL": "",
            }
        )
        with connected(run) as connection:
            connection.execute(
                "CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS"
                " 'BEGIN PERFORM pg_sleep(300); END'"
            )
            connection.execute(
                "CREATE EVENT TRIGGER slow ON ddl_command_start WHEN TAG IN ('CREATE INDEX')"
                " EXECUTE FUNCTION slow()"
            )
        with ThreadPoolExecutor(1) as threads:
            stopped = threads.submit(own.attempt, "transfer", "flight_delay_data", "--force")
            until(lambda: sleeps(run), seconds=60)
            with full(disk, leave=100 << 20):
                assert "(DISK_RESERVE_MIB) 268,435,456 bytes" in stopped.result(60).stderr
                assert run.is_served(PAGE)
        assert "PANIC" not in (run.home / "logs" / "postgres.log").read_text(errors="replace")


def sleeps(run: Run) -> bool:
    with connected(run) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        return connection.execute(query).fetchone() == (1,)


@pytest.mark.deep
@pytest.mark.timeout(400)
def test_a_full_disk_of_the_queue_refuses_new_work_and_takes_it_again(
    fresh: Platform, disk: Path
) -> None:
    fresh.ingest("2013-01-01,Alpha Air,A,B,1,2")
    fresh.manage("transfer", "--all")
    fresh.env["REDIS_URL"] = f"redis+socket://{disk}/valkey.sock?virtual_host=0"
    headers = {"Authorization": f"Token {fresh.token()}", "Content-Type": "application/json"}
    order = json.dumps({"tables": ["delays_by_day"]}).encode()
    with own_valkey(disk), fresh.site(processes=1) as site, worker(fresh):
        with full(disk):
            for _ in range(200):  # until what Valkey had room for is written
                response = site.request("POST", "/api/transfers/", order, **headers)
                assert response.status in (202, 503), response.body
                if response.status == 503:
                    break
            assert response.status == 503
            assert "queue of tasks" in response.json()["detail"]
            assert site.get(PAGE).status == 200
            assert "No space left on device" in fresh.attempt("status", "valkey").stdout

        def accepted() -> bool:
            return site.request("POST", "/api/transfers/", order, **headers).status == 202

        until(accepted, seconds=60)
        until(lambda: last(fresh)["status"] == "unchanged", seconds=60)


def test_a_log_without_room_for_its_rotation_stays_and_stops_nobody(disk: Path) -> None:
    log, yesterday = disk / "web.log", time.time() - 86_400
    log.write_bytes(b"a line\n" * 100_000)
    os.utime(log, (yesterday, yesterday))
    with full(disk):
        logs.begin(disk)
        assert log.stat().st_size == 700_000
        assert not sum(aside.stat().st_size for aside in disk.glob("web.log.*"))
    logs.begin(disk)
    assert log.stat().st_size == 0
    assert sum(aside.stat().st_size for aside in disk.glob("web.log.*")) == 700_000
