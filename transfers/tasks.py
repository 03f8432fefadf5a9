"""What workers and the schedule do: doors of a few lines to `services`."""

import logging
import random
from collections.abc import Iterable

from celery import Task, shared_task
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from flights import queue, tables
from flights.mirror import MirroredTable

from . import services, warehouse_jobs
from .alerts import delivery, outbox
from .exceptions import AlreadyRunning, QueueDown, TransferError
from .models import Transfer
from .run import runner

log = logging.getLogger(__name__)

ALERTING_AT_MOST = 120  # seconds; a receiver that never ends its answer must not hold a worker
REAPED_EVERY = 10  # seconds, as airsense/schedules.py says
TURN = 1  # seconds between two looks whether a waiting transfer's turn has come


def start(
    asked: Iterable[type[MirroredTable]], asked_by: str, *, forced: bool = False, key: str = ""
) -> list[int]:
    """Ask for transfers and give them to a worker; returns their keys.

    QueueDown where no worker can be told; then none is left waiting.
    """
    pks = [t.pk for t in services.ask(asked, asked_by, forced=forced, key=key)]
    try:
        _deliver(transfer, pks)
    except QueueDown as down:
        services.withdraw(pks, down)
        raise
    return pks


def start_job(kind: str, asked_by: str, file: "UploadedFile[bytes] | None" = None) -> None:
    """Ask for a change of the warehouse and tell a worker; QueueDown as above."""
    asked = warehouse_jobs.ask(kind, asked_by, file)
    try:
        _deliver(job, asked.pk)
    except QueueDown as down:
        warehouse_jobs.fail(asked, down)
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
    """Run queued transfers, and publish them together; in turn, where one has to wait."""
    try:
        runner.run(Transfer.objects.filter(pk__in=pks), attempts=settings.TRANSFER_ATTEMPTS)
    except AlreadyRunning as busy:
        services.reap()
        raise self.retry(countdown=TURN, exc=busy) from None
    except Exception as error:
        waiting = Transfer.objects.filter(pk__in=pks, status=Transfer.Status.QUEUED).first()
        if waiting:
            raise self.retry(countdown=_pause(waiting.attempt), exc=error) from error
        if not isinstance(error, TransferError):
            raise
        log.error("%s", error.told)  # their rows say so too


def _pause(attempt: int) -> float:
    """Seconds before an attempt: twice as many each time, spread so that not all come at once."""
    return min(2.0**attempt, 60) * random.uniform(0.5, 1.5)  # noqa: S311  # no secret


@shared_task
def job(*_: int) -> None:
    """Do the changes of the warehouse that wait, oldest first. Its argument is not needed."""
    warehouse_jobs.work()


@shared_task(bind=True)
def transfer_tables(self: Task, *names: str) -> None:
    """Transfer tables whose source changed, as a schedule asks; all of them where none is named."""
    schedule = self.request.get("periodic_task_name")  # django-celery-beat's header
    asked_by = f"schedule: {schedule}" if schedule else "schedule"
    start(tables.by_names(names or tables.NAMES), asked_by)


@shared_task
def reap() -> None:
    """Give up the transfers and jobs whose worker is gone, and have a worker do jobs that wait."""
    if lost := services.reap():
        log.warning("%d transfers had lost their worker", lost)
    if warehouse_jobs.reap():
        job.apply_async(expires=REAPED_EVERY)  # no heap of them where all workers are busy


@shared_task
def look_at_freshness() -> None:
    """Alert of tables that are not fresh any more, or are again, and of exports that failed."""
    outbox.look()


@shared_task(soft_time_limit=ALERTING_AT_MOST)
def deliver_alerts() -> None:
    """Send the alerts that are due."""
    delivery.deliver()
