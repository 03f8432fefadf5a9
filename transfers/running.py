"""How the transfers of one process run: claimed, loaded, published together or failed together."""

import time
import uuid
from collections.abc import Iterable

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from flights import tables
from flights.models import TableVersion

from . import load, loading, services, warehouses
from .exceptions import AlreadyRunning, ClaimLost, TransferError
from .models import Transfer
from .progress import Progress
from .warehouses import Warehouse


def run(transfers: Iterable[Transfer], warehouse: Warehouse | None = None) -> None:
    """Load each table, then publish together those that have a new version.

    Where one fails none is published: tables that were asked for together are seen together.
    Transfers that another process has taken, or that ended, are left alone. AlreadyRunning where
    one has to wait; then all stay queued.
    """
    claimed = _claimed(list(transfers))
    with Progress(claimed) as progress:
        try:
            source = warehouse or warehouses.connect(settings.WAREHOUSE_URL)
            versions = [loading.new_version(t, source, progress) for t in claimed]
            _publish(claimed, [v for v in versions if v])
        except BaseException as error:
            _fail(claimed, progress.lost or progress.current, error)
            progress.check()  # what was given up fails in whatever it did at that moment
            raise
        finally:
            for model in {tables.by_name(t.table) for t in claimed}:
                services.prune(model)


def _claimed(transfers: list[Transfer]) -> list[Transfer]:
    """Take the queued ones for this process, all or none."""
    try:
        with transaction.atomic():
            return [t for t in transfers if _claim(t)]
    except IntegrityError:
        waits = "; ".join(f"{t}, asked for by {t.asked_by}" for t in services.behind(transfers))
        raise AlreadyRunning(
            f"This waits behind {waits or 'another transfer'}.",
            advice="It starts when that has ended; one that lost its worker ends soon.",
        ) from None


def _claim(transfer: Transfer) -> bool:
    """Take a queued transfer; False where another process has it or it has ended."""
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
