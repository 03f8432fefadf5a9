"""What can be done with transfers; commands, tasks, the API and the admin call these."""

import time
import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from flights import tables
from flights.mirror import MirroredTable
from flights.models import TableVersion

from . import load, loading, warehouses
from .exceptions import AlreadyRunning, ClaimLost, TransferError
from .models import Transfer
from .progress import Progress
from .warehouses import Warehouse

# A transfer that no worker took by then was lost with its queue.
QUEUED_AT_MOST = timedelta(minutes=15)


def ask(
    asked: Iterable[type[MirroredTable]], asked_by: str, *, forced: bool = False
) -> list[Transfer]:
    """A queued transfer of each table, all or none; AlreadyRunning where one is under way.

    One that is queued already is not queued again: deliver it once more, in case it was lost.
    """
    reap()
    names = [model._meta.db_table for model in asked]
    try:
        with transaction.atomic():
            return [_queued(name, asked_by, forced) for name in names]
    except IntegrityError:
        raise _busy(names) from None


def run(transfers: Iterable[Transfer], warehouse: Warehouse | None = None) -> None:
    """Load each table, then publish together those that have a new version.

    Where one fails none is published: tables that were asked for together are seen together.
    Transfers that another process has taken, or that ended, are left alone.
    """
    claimed = [t for t in transfers if _claim(t)]
    with Progress(claimed) as progress:
        try:
            source = warehouse or warehouses.connect(settings.WAREHOUSE_URL)
            versions = [loading.new_version(t, source, progress) for t in claimed]
            _publish(claimed, [v for v in versions if v])
        except BaseException as error:
            _fail(claimed, progress.current, error)
            raise
        finally:
            for model in {tables.by_name(t.table) for t in claimed}:
                prune(model)


def reap() -> int:
    """Fail the transfers whose worker is gone, and drop what they loaded; returns how many."""
    now = timezone.now()
    lost_at = now - timedelta(seconds=settings.TRANSFER_LOST_AFTER)
    lost = _lose(
        Transfer.objects.filter(status=Transfer.Status.RUNNING, heartbeat_at__lt=lost_at),
        "Its worker stopped in the middle. The published version is untouched.",
        "Start it again.",
    ) + _lose(
        Transfer.objects.filter(status=Transfer.Status.QUEUED, asked_at__lt=now - QUEUED_AT_MOST),
        "No worker took it.",
        "See that a worker runs and reaches the queue, then start it again.",
    )
    for model in tables.TABLES:
        prune(model)
    return lost


def withdraw(pks: list[int], reason: TransferError) -> None:
    """Fail queued transfers that no worker can be told of."""
    queued = Transfer.objects.filter(pk__in=pks, status=Transfer.Status.QUEUED)
    _lose(queued, str(reason), reason.advice)


def prune(model: type[MirroredTable]) -> None:
    """Drop versions that are no longer kept, unless a transfer may be making one."""
    table = model._meta.db_table
    if not Transfer.objects.filter(table=table, status__in=Transfer.ACTIVE).exists():
        load.prune(model)


def _queued(table: str, asked_by: str, forced: bool) -> Transfer:
    transfer, _ = Transfer.objects.get_or_create(
        table=table,
        status=Transfer.Status.QUEUED,
        defaults={"asked_by": asked_by, "forced": forced},
    )
    if forced and not transfer.forced:
        Transfer.objects.filter(pk=transfer.pk).update(forced=True)
    return transfer


def _busy(names: list[str]) -> AlreadyRunning:
    busy = Transfer.objects.filter(table__in=names, status=Transfer.Status.RUNNING).first()
    what = f"{busy}, asked for by {busy.asked_by}," if busy else "Another transfer"
    return AlreadyRunning(
        f"{what} is not finished yet.", advice="Wait for it; one that lost its worker ends soon."
    )


def _claim(transfer: Transfer) -> bool:
    """Take a queued transfer for this process; False where another has it or it has ended."""
    claim, now = uuid.uuid4(), timezone.now()
    taken = Transfer.objects.filter(pk=transfer.pk, status=Transfer.Status.QUEUED).update(
        status=Transfer.Status.RUNNING, claim=claim, started_at=now, heartbeat_at=now
    )
    if taken:
        transfer.refresh_from_db()
    return bool(taken)


def _publish(transfers: list[Transfer], versions: list[TableVersion]) -> None:
    """Make the versions current and the transfers succeeded, all in one transaction."""
    made = {version.table: version for version in versions}
    began = time.monotonic()
    with transaction.atomic():
        for transfer in transfers:
            version = made.get(transfer.table)
            done = Transfer.Status.SUCCEEDED if version else Transfer.Status.UNCHANGED
            _end(transfer, done, version=version)
        load.publish(versions)
    for transfer in transfers:
        transfer.seconds["publishing"] = round(time.monotonic() - began, 3)
        transfer.save(update_fields=["seconds"])


def _end(transfer: Transfer, status: Transfer.Status, **values: object) -> None:
    """Write how a transfer of this process ended; ClaimLost where others ended it before."""
    transfer.status, transfer.finished_at = status, timezone.now()
    mine = Transfer.objects.filter(
        pk=transfer.pk, claim=transfer.claim, status=Transfer.Status.RUNNING
    )
    values |= {
        "status": status,
        "finished_at": transfer.finished_at,
        "phase": transfer.phase if status == Transfer.Status.FAILED else "",
        "rows_done": transfer.rows_done,
        "rows_total": transfer.rows_total,
        "seconds": transfer.seconds,
        "figures": transfer.figures,
        "source_version": transfer.source_version,
    }
    if not mine.update(**values):
        raise ClaimLost(f"{transfer} was ended by others.", advice="Start it again.")


def _fail(transfers: list[Transfer], culprit: Transfer | None, error: BaseException) -> None:
    """Mark all transfers of a run failed: one for its own fault, the others because of it."""
    advice = getattr(error, "advice", "") or "Start it again; the log has the details."
    shown = str(error) if isinstance(error, TransferError) else f"{type(error).__name__}: {error}"
    for transfer in transfers:
        theirs = f"Not published, because {culprit} failed." if transfer != culprit else shown
        try:
            _end(transfer, Transfer.Status.FAILED, error=theirs, advice=advice)
        except ClaimLost:
            continue  # whoever ended it has said why


def _lose(transfers: "models.QuerySet[Transfer]", error: str, advice: str) -> int:
    return transfers.update(
        status=Transfer.Status.FAILED, finished_at=timezone.now(), error=error, advice=advice
    )
