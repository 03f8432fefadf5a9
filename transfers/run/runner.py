"""Run the transfers of one process: claim, load, and publish all of them or fail all of them."""

from collections.abc import Iterable
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction

from flights import claims, tables
from flights.models import TableVersion
from transfers import run_log, services, warehouse_contact, warehouses
from transfers.exceptions import AlreadyRunning, WarehouseUnavailable
from transfers.load import disk_space
from transfers.models import Transfer
from transfers.warehouses import Warehouse

from . import pipeline, results
from .progress import Progress
from .quality import Inspection
from .reconnection import detect_disconnects, reconnecting


def run(
    transfers: Iterable[Transfer], warehouse: Warehouse | None = None, attempts: int = 1
) -> None:
    """Load each table, then publish all new versions in one transaction.

    If one transfer fails, none is published. Transfers that another process runs, or that have
    ended, are skipped. After a transient failure all are queued again, until they have had
    `attempts` attempts. Raises AlreadyRunning, and leaves all queued, if one has to wait for
    another transfer of its table; otherwise re-raises the error of the failed transfer.
    """
    claimed = _claim(list(transfers))
    if not claimed:
        return
    with Progress(claimed) as progress:
        try:
            _load_and_publish(claimed, warehouse, progress)
        except BaseException as raised:
            _record_failure(claimed, progress.refused or raised, progress, attempts)
            progress.check()  # a lost transfer may fail with any error: report the loss instead
            raise
        finally:
            reconnecting(partial(_prune, claimed))
            reconnecting(progress.log.save)


def _claim(transfers: list[Transfer]) -> list[Transfer]:
    """Claim the queued transfers, all or none; AlreadyRunning if one has to wait."""
    try:
        with transaction.atomic():
            # In the order of `services.queue`, so that two processes cannot deadlock.
            claimed = {t.pk for t in sorted(transfers, key=services.by_table) if claims.claim(t)}
        return [transfer for transfer in transfers if transfer.pk in claimed]
    except IntegrityError:
        services.wait(transfers)
        ahead = "; ".join(f"{t}, requested by {t.asked_by}" for t in services.behind(transfers))
        raise AlreadyRunning(
            f"Waiting for {ahead or 'another transfer'}.",
            advice="It starts when that has ended; one that lost its worker ends soon.",
        ) from None


def _load_and_publish(
    transfers: list[Transfer], warehouse: Warehouse | None, progress: Progress
) -> None:
    source = warehouse or warehouses.connect(settings.WAREHOUSE_URL, progress.phase)
    detect_disconnects()
    with disk_space.reported(), progress.interruptible():
        versions = _checked_versions(transfers, source, progress)
        warehouse_contact.record(up=True)
        results.publish(transfers, versions)
    results.log(transfers, versions, progress)


def _checked_versions(
    transfers: list[Transfer], source: Warehouse, progress: Progress
) -> list[TableVersion]:
    """Make the new versions, and check that their tables agree with each other."""
    inspection = Inspection(source, progress.check)
    versions = [pipeline.new_version(t, source, progress, inspection) for t in transfers]
    new = {version.table: version for version in versions if version}
    for transfer in inspection.compare(transfers, new):
        progress.current = transfer
    return list(new.values())


def _record_failure(
    transfers: list[Transfer], error: BaseException, progress: Progress, attempts: int
) -> None:
    """Log the error, and queue all transfers again or mark them as failed."""
    progress.log.add(run_log.details(error))
    if isinstance(error, WarehouseUnavailable):
        warehouse_contact.record(up=False)
    retry = not progress.lost and results.is_transient(error) and transfers[0].attempt < attempts
    record = results.queue_again if retry else results.fail
    reconnecting(partial(record, transfers, progress.lost or progress.current, error))


def _prune(transfers: list[Transfer]) -> None:
    for model in {tables.by_name(t.table) for t in transfers}:
        services.prune(model)
