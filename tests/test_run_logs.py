"""The logs of transfers and jobs in the database: bounded, without secrets, and forgotten."""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from airsense.tasks import forget
from tests.platform import Platform
from transfers import run_log, warehouse_jobs
from transfers.models import RunLog, WarehouseJob

log = logging.getLogger(__name__)


@pytest.fixture
def job(demo: Platform) -> Iterator[WarehouseJob]:
    job = warehouse_jobs.queue("append", "test", arguments=["there is no such file.csv"])
    yield job
    job.delete()


def test_a_failed_job_has_a_log_that_says_why(job: WarehouseJob) -> None:
    warehouse_jobs.work()
    job.refresh_from_db()
    lines = run_log.text_of(job).splitlines()
    assert job.status == "failed"
    assert "attempt 1: add a file's records" in lines[0]
    assert "ERROR" in lines[1]
    assert job.error in lines[1]


def test_a_log_has_the_last_lines_of_its_own_thread_without_secrets(job: WarehouseJob) -> None:
    with run_log.Recorder([job], lambda: job) as recorder:
        for number in range(1_000):
            log.warning("line %d %s", number, "x" * 500)
        other = threading.Thread(target=log.warning, args=["of another thread"])
        other.start()
        other.join()
        recorder.add(
            "connect to postgresql://me:hunter2hunter2@host/db with Bearer abcdefgh12345678"
        )
        recorder.add(f"the key is {settings.SECRET_KEY}")
        try:
            raise ZeroDivisionError("password=hunter2hunter2")
        except ZeroDivisionError as error:
            recorder.add(run_log.details(error))
    text = run_log.text_of(job)
    assert len(text) <= run_log.LARGEST
    assert len(text.splitlines()) <= run_log.LINES
    assert "line 999" in text
    assert "line 700 " not in text
    assert "another thread" not in text
    assert "to postgresql://[secret]@host/db with Bearer [secret]" in text
    assert "ZeroDivisionError: password=[secret]" in text
    assert "Traceback" in text
    for secret in ("hunter2", "abcdefgh123", settings.SECRET_KEY):
        assert secret not in text


def test_a_second_attempt_adds_to_the_log_of_the_first(job: WarehouseJob) -> None:
    for number in (1, 2):
        with run_log.Recorder([job], lambda: job) as recorder:
            recorder.add(f"attempt {number}")
    lines = run_log.text_of(job).splitlines()
    assert [line.partition(" UTC ")[2] for line in lines] == ["attempt 1", "attempt 2"]


def test_old_logs_are_forgotten_and_others_stay(job: WarehouseJob) -> None:
    for age, kept in ((timedelta(days=29), True), (timedelta(days=31), False)):
        with run_log.Recorder([job], lambda: job) as recorder:
            recorder.add("something")
        RunLog.objects.filter(job=job).update(updated_at=timezone.now() - age)
        forget()
        assert RunLog.objects.filter(job=job).exists() is kept
