"""Celery tasks for transfers, warehouse jobs and alerts, and functions that start them."""

import logging
import random
from collections.abc import Iterable, Sequence
from contextlib import suppress

from celery import Task, shared_task
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import InterfaceError, OperationalError

from flights import queue, tables
from flights.mirror import MirroredTable

from . import services, warehouse_jobs
from .alerts import delivery, outbox
from .exceptions import AlreadyRunning, QueueDown, TransferError
from .ingest.raw_table import Treatment
from .models import Transfer, WarehouseJob
from .run import runner
from .run.completion import WAIT
from .warehouse_jobs import Upload, stored_files

log = logging.getLogger(__name__)

UNREACHABLE = (OperationalError, InterfaceError)  # what a query raises without PostgreSQL
DELIVERY_LIMIT = 120  # seconds; a receiver that never ends its response must not block a worker
REAP_INTERVAL = 10  # seconds, as in airsense/schedules.py


def start(
    models: Iterable[type[MirroredTable]],
    asked_by: str,
    *,
    forced: bool = False,
    key: str = "",
    override: services.Override | None = None,
) -> list[int]:
    """Queue transfers and notify a worker; returns their primary keys.

    Raises QueueDown if the queue of tasks is down, after marking the transfers as failed.
    """
    queued = services.queue(models, asked_by, forced=forced, key=key, override=override)
    pks = [transfer.pk for transfer in queued]
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
    repeated: Treatment = "keep",
) -> WarehouseJob:
    """Queue a warehouse job and notify a worker.

    Raises QueueDown if the queue of tasks is down, after marking the job as failed.
    """
    queued = warehouse_jobs.queue(kind, asked_by, file, arguments, repeated)
    try:
        _deliver(job, queued.pk)
    except QueueDown as down:
        warehouse_jobs.fail(queued, down)
        raise
    return queued


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
        with suppress(*UNREACHABLE):  # the next attempt reaps, too
            services.reap()
        raise self.retry(countdown=WAIT, exc=busy) from None
    except Exception as error:
        attempt = _waiting_attempt(self, pks)
        if attempt is not None:
            raise self.retry(countdown=_pause(attempt), exc=error) from error
        if not isinstance(error, TransferError):
            raise
        # No traceback: the transfers' rows record it.
        log.error("%s", error.full_message, extra={"transfer": pks})
    else:
        _log_ended(pks)


def _waiting_attempt(task: Task, pks: list[int]) -> int | None:
    """The attempt number of a transfer that is queued again; None if all have ended.

    While PostgreSQL cannot be reached, their status is unknown. Then return the number of this
    task's retries, because no other task would run the transfers.
    """
    try:
        waiting = Transfer.objects.filter(pk__in=pks, status=Transfer.Status.QUEUED).first()
    except UNREACHABLE:
        return int(task.request.retries)
    return waiting.attempt if waiting else None


def _log_ended(pks: list[int]) -> None:
    """Write a log line for each transfer of a run."""
    ended = Transfer.objects.filter(pk__in=pks, finished_at__isnull=False)
    for transfer in ended.select_related("version"):
        version = str(transfer.version or "")
        fields = {"table": transfer.table, "transfer": transfer.pk, "version": version}
        log.info("%s: %s %s", transfer, transfer.status, version, extra=fields)


def _pause(attempt: int) -> float:
    """Seconds before the next attempt: exponential backoff with jitter."""
    return min(2.0 ** min(attempt, 6), 60.0) * random.uniform(0.5, 1.5)  # noqa: S311  # no secret


@shared_task
def job(*_: int) -> None:
    """Run queued warehouse jobs, oldest first. Ignores the key that older callers pass."""
    warehouse_jobs.work()


@shared_task(bind=True)
def transfer_tables(self: Task, *names: str) -> None:
    """Transfer the named tables, or all of them, if their sources changed. For schedules."""
    start(tables.by_names(names or tables.NAMES), _requester(self))


@shared_task(bind=True)
def build_tables(self: Task) -> None:
    """Build the final tables if the records changed. For schedules."""
    _start_unless_active(self, WarehouseJob.Kind.BUILD)


@shared_task(bind=True)
def ingest_folder(self: Task, *arguments: str) -> None:
    """Ingest the files in INGEST_FOLDER that were not ingested yet. For schedules."""
    _start_unless_active(self, stored_files.read(arguments).kind, *arguments)


@shared_task(bind=True)
def publish_months(self: Task, *months: str) -> None:
    """Download and publish months; without arguments, those that are new. For schedules."""
    _start_unless_active(self, WarehouseJob.Kind.PUBLISH, *months)


def _start_unless_active(task: Task, kind: str, *arguments: str) -> None:
    """Start a job, unless one that does the same work is queued or running."""
    if not warehouse_jobs.active(kind, arguments):
        start_job(kind, _requester(task), arguments=arguments)


def _requester(task: Task) -> str:
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
    outbox.review()


@shared_task(soft_time_limit=DELIVERY_LIMIT)
def deliver_alerts() -> None:
    """Send due alerts."""
    delivery.deliver()
