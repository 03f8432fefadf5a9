"""Celery tasks for transfers, warehouse jobs and alerts, and functions that start them."""

import logging
import random
from collections.abc import Iterable, Sequence

from celery import Task, shared_task
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from flights import queue, tables
from flights.mirror import MirroredTable

from . import services, warehouse_jobs
from .alerts import delivery, outbox
from .exceptions import AlreadyRunning, QueueDown, TransferError
from .models import Transfer, WarehouseJob
from .run import runner
from .run.completion import WAIT
from .warehouse_jobs import Upload

log = logging.getLogger(__name__)

DELIVERY_LIMIT = 120  # seconds; a receiver that never ends its response must not block a worker
REAP_INTERVAL = 10  # seconds, as in airsense/schedules.py


def start(
    models: Iterable[type[MirroredTable]], asked_by: str, *, forced: bool = False, key: str = ""
) -> list[int]:
    """Queue transfers and notify a worker; returns their primary keys.

    Raises QueueDown if the queue of tasks is down, after marking the transfers as failed.
    """
    pks = [t.pk for t in services.ask(models, asked_by, forced=forced, key=key)]
    try:
        _deliver(transfer, pks)
    except QueueDown as down:
        services.withdraw(pks, down)
        raise
    return pks


def start_job(
    kind: str,
    asked_by: str,
    file: "Upload | UploadedFile[bytes] | None" = None,
    arguments: Sequence[str] = (),
) -> None:
    """Queue a warehouse job and notify a worker; QueueDown as above."""
    queued = warehouse_jobs.ask(kind, asked_by, file, arguments)
    try:
        _deliver(job, queued.pk)
    except QueueDown as down:
        warehouse_jobs.fail(queued, down)
        raise


def _deliver(task: Task, argument: object) -> None:
    try:
        task.delay(argument)
    except queue.FAILURES as error:
        raise QueueDown(
            "The queue of tasks does not answer.",
            advice="See that Valkey runs, and that its disk has room.",
        ) from error


@shared_task(bind=True, max_retries=None)
def transfer(self: Task, pks: list[int]) -> None:
    """Run queued transfers and publish them together; retry if one waits for another."""
    try:
        runner.run(Transfer.objects.filter(pk__in=pks), attempts=settings.TRANSFER_ATTEMPTS)
    except AlreadyRunning as busy:
        services.reap()
        raise self.retry(countdown=WAIT, exc=busy) from None
    except Exception as error:
        waiting = Transfer.objects.filter(pk__in=pks, status=Transfer.Status.QUEUED).first()
        if waiting:
            raise self.retry(countdown=_pause(waiting.attempt), exc=error) from error
        if not isinstance(error, TransferError):
            raise
        log.error("%s", error.full_message)  # no traceback: the transfers' rows record it


def _pause(attempt: int) -> float:
    """Seconds before the next attempt: exponential backoff with jitter."""
    return min(2.0**attempt, 60) * random.uniform(0.5, 1.5)  # noqa: S311  # no secret


@shared_task
def job(*_: int) -> None:
    """Run queued warehouse jobs, oldest first. Ignores the key that older callers pass."""
    warehouse_jobs.work()


@shared_task(bind=True)
def transfer_tables(self: Task, *names: str) -> None:
    """Transfer the named tables, or all of them, if their sources changed. For schedules."""
    start(tables.by_names(names or tables.NAMES), _asked_by(self))


@shared_task(bind=True)
def build_tables(self: Task) -> None:
    """Build the final tables if the records changed. For schedules."""
    _start_once(self, WarehouseJob.Kind.BUILD)


@shared_task(bind=True)
def ingest_folder(self: Task, folder: str, mode: str = WarehouseJob.Kind.APPEND) -> None:
    """Ingest the files of a folder in INGEST_FOLDER that were not ingested yet. For schedules."""
    _start_once(self, mode, folder)


@shared_task(bind=True)
def publish_months(self: Task, *months: str) -> None:
    """Download and publish months; without arguments, those that are new. For schedules."""
    _start_once(self, WarehouseJob.Kind.PUBLISH, *months)


def _start_once(task: Task, kind: str, *arguments: str) -> None:
    """Start a job, unless one like it waits or runs: it does the same work."""
    if not warehouse_jobs.active(kind, arguments):
        start_job(kind, _asked_by(task), arguments=arguments)


def _asked_by(task: Task) -> str:
    schedule = task.request.get("periodic_task_name")  # django-celery-beat's header
    return f"schedule: {schedule}" if schedule else "schedule"


@shared_task
def reap() -> None:
    """Mark orphaned transfers as failed, and give queued or orphaned jobs to a worker."""
    if lost := services.reap():
        log.warning("%d transfers had lost their worker", lost)
    if warehouse_jobs.reap():
        # The task expires before the next one, so that busy workers do not pile tasks up.
        job.apply_async(expires=REAP_INTERVAL)


@shared_task
def look_at_freshness() -> None:
    """Open and end alerts of stale tables and of failed exports."""
    outbox.look()


@shared_task(soft_time_limit=DELIVERY_LIMIT)
def deliver_alerts() -> None:
    """Send due alerts."""
    delivery.deliver()
