"""What workers and the schedule do with exports: doors of a few lines."""

import logging

from celery import shared_task

from . import queue
from .exports import retention, service, worker
from .mirror import MirroredTable
from .models import Asker, Export

SWEPT_EVERY = 10  # seconds
log = logging.getLogger(__name__)


def start(model: type[MirroredTable], query: str, format_: str, by: Asker) -> Export:
    """Ask for an export and tell a worker; where none can be told, the next sweep does so."""
    export = service.ask(model, query, format_, by)
    try:
        if export.status == Export.Status.QUEUED:
            make_exports.delay()
    except queue.FAILURES as error:
        log.warning("%s waits, as the queue does not take tasks: %s", export, error)
    return export


@shared_task
def make_exports() -> None:
    """Make the files that are asked for, one after the other."""
    worker.work()


@shared_task
def sweep_exports() -> None:
    """Remove what expired, and give what waits, or has lost its worker, to a worker."""
    if retention.sweep():
        make_exports.apply_async(expires=SWEPT_EVERY)  # no heap of them where all are busy


@shared_task
def remove_orphans() -> None:
    """Remove the files that no export names."""
    if removed := retention.remove_orphans():
        log.warning("%d files of exports had no export", removed)
