"""What workers and the schedule do: doors of a few lines to `services`."""

import logging

from celery import shared_task

from flights.tables import TABLES

from . import services
from .exceptions import AlreadyRunning, TransferError
from .models import Transfer

log = logging.getLogger(__name__)


@shared_task
def transfer(pks: list[int]) -> None:
    """Run queued transfers, and publish them together."""
    try:
        services.run(Transfer.objects.filter(pk__in=pks))
    except TransferError as error:
        log.error("%s %s", error, error.advice)  # their rows say so too


@shared_task
def transfer_all() -> None:
    """Transfer every table whose source changed, as the schedule asks."""
    try:
        services.run(services.ask(TABLES, asked_by="schedule"))
    except AlreadyRunning as busy:
        log.info("%s", busy)


@shared_task
def reap() -> None:
    """Fail the transfers whose worker is gone."""
    if lost := services.reap():
        log.warning("%d transfers had lost their worker", lost)
