"""Celery tasks that make, expire and clean up exports."""

import logging

from celery import shared_task

from . import queue
from .exports import retention, service, worker
from .mirror import MirroredTable
from .models import Export, Requester

SWEEP_INTERVAL = 10  # seconds
log = logging.getLogger(__name__)


def start(model: type[MirroredTable], query: str, format_: str, by: Requester) -> Export:
    """Queue an export and notify a worker; if the queue of tasks is down, the next sweep does."""
    export = service.get_or_create(model, query, format_, by)
    try:
        if export.status == Export.Status.QUEUED:
            make_exports.delay()
    except queue.FAILURES as error:
        log.warning("%s waits, as the queue does not take tasks: %s", export, error)
    return export


@shared_task
def make_exports() -> None:
    """Make the files of queued exports, one after the other."""
    worker.work()


@shared_task
def sweep_exports() -> None:
    """Expire exports, and give queued or orphaned exports to a worker."""
    if retention.sweep():
        # The task expires before the next sweep, so that busy workers do not pile tasks up.
        make_exports.apply_async(expires=SWEEP_INTERVAL)


@shared_task
def remove_orphans() -> None:
    """Remove files without an export."""
    if removed := retention.remove_orphans():
        log.warning("%d files of exports had no export", removed)
