"""What can be done with transfers; commands, tasks, the API and the admin call these."""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from psycopg import sql

from flights import claims, tables
from flights.mirror import MirroredTable
from flights.models import TableVersion

from .alerts import outbox
from .exceptions import TransferError
from .load import writer
from .load.statements import execute
from .models import Transfer

# A transfer that no worker took by then was lost with its queue.
QUEUED_AT_MOST = timedelta(minutes=15)


def ask(
    asked: Iterable[type[MirroredTable]], asked_by: str, *, forced: bool = False, key: str = ""
) -> list[Transfer]:
    """A queued transfer of each table. It waits behind one that runs; `behind` says which.

    One that is queued already is not queued again: deliver it once more, in case it was lost. Who
    asks again with the same key gets the transfers of the first time, whatever became of them.
    """
    reap()
    with transaction.atomic():
        if key and (before := _asked_before(asked_by, key)):
            return before
        return [_queued(model._meta.db_table, asked_by, forced, key) for model in asked]


def _asked_before(asked_by: str, key: str) -> list[Transfer]:
    """The transfers of a request's first time; its second waits until the first is written."""
    execute("SELECT pg_advisory_xact_lock(hashtextextended({}, 0))", sql.Literal(asked_by + key))
    return list(Transfer.objects.filter(asked_by=asked_by, request_key=key).order_by("pk"))


def behind(transfers: Iterable[Transfer]) -> "models.QuerySet[Transfer]":
    """The running transfers that these have to wait for."""
    tables = [t.table for t in transfers if t.status == Transfer.Status.QUEUED]
    return Transfer.objects.filter(table__in=tables, status=Transfer.Status.RUNNING)


def reap() -> int:
    """Fail the transfers whose worker is gone, and drop what they loaded; returns how many."""
    queued_at = timezone.now() - QUEUED_AT_MOST
    lost = _lose(
        claims.lost(Transfer, settings.TRANSFER_LOST_AFTER),
        "Its worker stopped in the middle. The published version is untouched.",
        "Start it again.",
    ) + _lose(
        Transfer.objects.filter(status=Transfer.Status.QUEUED, asked_at__lt=queued_at),
        "No worker took it.",
        "See that a worker runs and reaches the queue, then start it again.",
    )
    for model in tables.TABLES:
        prune(model)
    return lost


def cancel(transfer: Transfer, by: str) -> bool:
    """End a transfer; what runs it stops within 2 s. False where it had ended already."""
    active = Transfer.objects.filter(pk=transfer.pk, status__in=Transfer.ACTIVE)
    return bool(
        active.update(
            status=Transfer.Status.CANCELLED,
            finished_at=timezone.now(),
            error=f"Cancelled by {by}.",
            advice="Nothing was published.",
        )
    )


def roll_back(model: type[MirroredTable], number: int | None, by: str) -> TableVersion:
    """Publish a kept version again, by default the one before, and record who did that."""
    with transaction.atomic():
        version = writer.roll_back(model, number)
        now = timezone.now()
        Transfer.objects.create(
            table=version.table,
            mode=Transfer.Mode.ROLLBACK,
            status=Transfer.Status.SUCCEEDED,
            asked_by=by,
            started_at=now,
            finished_at=now,
            source_version=version.source_version,
            version=version,
        )
    return version


def withdraw(pks: list[int], reason: TransferError) -> None:
    """Fail queued transfers that no worker can be told of."""
    queued = Transfer.objects.filter(pk__in=pks, status=Transfer.Status.QUEUED)
    _lose(queued, str(reason), reason.advice)


def prune(model: type[MirroredTable]) -> None:
    """Drop versions that are no longer kept, unless a transfer may be making one."""
    table = model._meta.db_table
    if not Transfer.objects.filter(table=table, status__in=Transfer.ACTIVE).exists():
        writer.prune(model)


def _queued(table: str, asked_by: str, forced: bool, key: str) -> Transfer:
    transfer, _ = Transfer.objects.get_or_create(
        table=table,
        status=Transfer.Status.QUEUED,
        defaults={"asked_by": asked_by, "forced": forced, "request_key": key},
    )
    if forced and not transfer.forced:
        Transfer.objects.filter(pk=transfer.pk).update(forced=True)
    return transfer


def _lose(transfers: "models.QuerySet[Transfer]", error: str, advice: str) -> int:
    with transaction.atomic():
        lost = list(transfers.select_for_update())  # each is one caller's, and alerted of once
        Transfer.objects.filter(pk__in=[transfer.pk for transfer in lost]).update(
            status=Transfer.Status.FAILED, finished_at=timezone.now(), error=error, advice=advice
        )
        outbox.failed(lost, error, advice)
    return len(lost)
