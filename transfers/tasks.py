"""What workers and the schedule do: doors of a few lines to `services`."""

import logging
from collections.abc import Iterable

from celery import shared_task
from kombu.exceptions import OperationalError

from flights.mirror import MirroredTable
from flights.tables import TABLES

from . import services
from .exceptions import AlreadyRunning, QueueDown, TransferError
from .models import Transfer

log = logging.getLogger(__name__)


def start(
    asked: Iterable[type[MirroredTable]], asked_by: str, *, forced: bool = False
) -> list[int]:
    """Ask for transfers and give them to a worker; returns their keys.

    AlreadyRunning where one is under way; QueueDown where no worker can be told, and then none
    is left waiting.
    """
    pks = [t.pk for t in services.ask(asked, asked_by, forced=forced)]
    try:
        transfer.delay(pks)
    except OperationalError as error:
        down = QueueDown("The queue of tasks does not answer.", advice="See that Valkey runs.")
        services.withdraw(pks, down)
        raise down from error
    return pks


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
