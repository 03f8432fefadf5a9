"""Warehouse jobs run one at a time, survive a killed worker, and delete their uploads."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.fault_probes import database
from tests.platform import COLUMNS, Platform, until
from tests.platforms import own_platform
from tests.small_disk import mounted
from tests.warehouse.running import WarehouseServer, running
from transfers import warehouse_jobs
from transfers.models import WarehouseJob

INGEST = (
    "from django.core.files.uploadedfile import SimpleUploadedFile; from transfers import tasks;"
    "tasks.start_job('append', 'test', SimpleUploadedFile('records.csv', {!r}.encode()))"
)
BUILD = "from transfers import tasks; tasks.start_job('build', 'test')"
REAP = "from transfers import tasks; tasks.reap()"
RECORDS = f"{COLUMNS}\n2013-01-07,Alpha,X,Y,10,5\n"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseServer]:
    with running(tmp_path_factory.mktemp("warehouse"), "--inline") as warehouse_server:
        yield warehouse_server


@pytest.fixture
def platform(warehouse: WarehouseServer, tmp_path: Path) -> Iterator[Platform]:
    """A platform whose jobs are queued again after two seconds without a heartbeat."""
    with own_platform() as own:
        slow = warehouse.schema(tmp_path.name).env
        yield Platform({**own.env, **slow, "JOB_LOST_AFTER": "2"}, log=tmp_path / "log")
        warehouse.clear_faults()


def rows(platform: Platform, table: str = "transfers_warehousejob") -> list[dict[str, Any]]:
    with database(platform) as connection:
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        return list(cursor.execute(f"SELECT * FROM {table} ORDER BY id"))


def uploads(platform: Platform) -> list[Path]:
    """The stored files of the jobs that have one."""
    home = Path({**os.environ, **platform.env}["AIRSENSE_HOME"])
    return [home / job["file"] for job in rows(platform) if job["file"]]


@contextmanager
def killed_in_the_middle(platform: Platform, warehouse: WarehouseServer) -> Iterator[list[Path]]:
    """An ingest whose worker was killed while the warehouse was busy with it."""
    warehouse.fault("ExecuteStatement", "slow", sql="CREATE", seconds=60)
    platform.python(INGEST.format(RECORDS))
    with platform.running("worker") as worker:
        until(lambda: rows(platform)[0]["status"] == "running")
        stored = uploads(platform)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    warehouse.clear_faults()
    until(lambda: (timezone.now() - rows(platform)[0]["heartbeat_at"]).total_seconds() > 2.5)
    yield stored


def test_a_job_whose_worker_was_killed_is_done_by_another_and_deletes_its_upload(
    platform: Platform, warehouse: WarehouseServer
) -> None:
    with killed_in_the_middle(platform, warehouse) as stored:
        assert [file.exists() for file in stored] == [True]
        with platform.running("worker"):
            platform.python(REAP)
            until(lambda: rows(platform)[0]["status"] == "succeeded", seconds=60)
    (job,) = rows(platform)
    assert (job["attempt"], job["outcome"]) == (2, "records.csv: 1 records added")
    assert [file.exists() for file in stored] == [False]


def test_a_job_that_lost_its_last_attempt_fails_alerts_and_deletes_its_upload(
    platform: Platform, warehouse: WarehouseServer
) -> None:
    platform.env["JOB_ATTEMPTS"] = "1"
    with killed_in_the_middle(platform, warehouse) as stored:
        platform.python(REAP)
    (job,) = rows(platform)
    assert (job["status"], job["error"]) == ("failed", "Its worker stopped unexpectedly.")
    assert [file.exists() for file in stored] == [False]
    (alert,) = rows(platform, "transfers_alert")
    assert (alert["about"], alert["table"], alert["kind"]) == ("job", "ingest", "failed")


def test_two_jobs_at_once_are_done_one_after_the_other(
    platform: Platform, warehouse: WarehouseServer
) -> None:
    warehouse.fault("ExecuteStatement", "slow", sql="CREATE", seconds=2)
    with platform.running("worker", "--concurrency=2"):
        platform.python(INGEST.format(RECORDS))
        until(lambda: rows(platform)[0]["status"] == "running")
        platform.python(BUILD)
        until(lambda: all(job["finished_at"] for job in rows(platform)), seconds=90)
    first, second = rows(platform)
    assert (first["status"], second["status"]) == ("succeeded", "succeeded"), (first, second)
    assert first["finished_at"] <= second["started_at"]


def test_a_job_waits_while_a_command_changes_the_warehouse(fresh: Platform) -> None:
    fresh.ingest("2013-01-07,Alpha,X,Y,10,5")
    with (fresh.warehouse / "writer.lock").open("w") as lock, fresh.running("worker"):
        fcntl.flock(lock, fcntl.LOCK_EX)
        fresh.python(BUILD)
        until(lambda: "being changed by another process" in rows(fresh)[0]["error"])
        assert rows(fresh)[0]["status"] == "queued"
        fcntl.flock(lock, fcntl.LOCK_UN)
        fresh.python(REAP)
        until(lambda: rows(fresh)[0]["status"] == "succeeded")
    assert (rows(fresh)[0]["attempt"], rows(fresh)[0]["error"]) == (1, "")


def test_a_job_of_an_older_release_without_heartbeats_does_not_run_for_ever(demo: Platform) -> None:
    job = WarehouseJob.objects.create(
        kind="build", asked_by="x", status="running", started_at="2001-01-01T00Z"
    )
    warehouse_jobs.reap()
    job.refresh_from_db()
    assert job.status == "queued"
    warehouse_jobs.work()
    job.refresh_from_db()
    assert job.status == "succeeded"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    with mounted(tmp_path, 1 << 16):
        yield tmp_path


def upload(size: int) -> str:
    """Upload a file that cannot be stored; return the page with the reason."""
    browser = Client()
    name = f"uploads{User.objects.count()}"
    browser.force_login(User.objects.create_superuser(name))
    form = {"file": SimpleUploadedFile("records.csv", b"x" * size), "kind": "append"}
    before = WarehouseJob.objects.count()
    response = browser.post("/admin/transfers/warehousejob/ingest/", form)
    assert response.status_code == 400
    assert WarehouseJob.objects.count() == before
    return response.content.decode()


@pytest.mark.parametrize("size", [1 << 20, 4 << 20], ids=["in memory", "in a temporary file"])
def test_an_upload_that_does_not_fit_is_refused_and_leaves_nothing(
    demo: Platform, settings: Settings, disk: Path, size: int
) -> None:
    settings.MEDIA_ROOT = disk
    assert "The file cannot be stored: No space left on device" in upload(size)
    assert [file for file in disk.rglob("*") if file.is_file()] == []


def test_an_upload_that_may_not_be_stored_is_refused_with_the_reason(
    demo: Platform, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "uploads").write_text("a file in the place of the folder")
    assert "The file cannot be stored: " in upload(10)


@pytest.mark.parametrize("command", [["broker"], ["ingest", "--demo"]])
def test_a_command_that_may_not_write_says_so_in_one_line(
    fresh: Platform, command: list[str]
) -> None:
    (fresh.warehouse / "writer.lock").mkdir(parents=True)
    done = fresh.attempt(*command)
    assert done.returncode == 1
    assert "Is a directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_upload_that_no_job_names_is_removed_after_an_hour(
    demo: Platform, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "uploads").mkdir()
    old, new = tmp_path / "uploads" / "old", tmp_path / "uploads" / "new"
    for file in (old, new):
        file.write_text("half of a file")
    os.utime(old, (0, 0))
    assert warehouse_jobs.remove_orphans() == 1
    assert (old.exists(), new.exists()) == (False, True)
