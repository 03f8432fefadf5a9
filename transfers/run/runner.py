"""Run the transfers of one process: claim, load, and publish all of them or fail all of them."""

import time
from collections.abc import Callable, Iterable
from functools import partial

from django.conf import settings
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import F
from django.db.models.functions import Now

from flights import claims, sqlstates, tables, tracing
from flights.models import TableVersion
from transfers import run_log, services, warehouse_contact, warehouses
from transfers.alerts import outbox
from transfers.exceptions import AlreadyRunning, ClaimLost, TransferError, WarehouseUnavailable
from transfers.load import disk_space, writer
from transfers.load.statements import execute
from transfers.models import Transfer
from transfers.warehouses import Warehouse

from . import pipeline
from .progress import Progress
from .quality import Inspection

# Seconds to wait for PostgreSQL to come back before giving up on recording a result.
RECONNECT_WITHIN = 15.0
RETRY_ADVICE = "Start it again; the log has the details."
PERMANENT_ADVICE = (
    "PostgreSQL refuses it. It fails again until the cause is removed; the log has the details."
)
# Without these settings PostgreSQL finishes the statement of a killed process before it releases
# its locks, and takes hours to notice that a machine is gone.
DISCONNECT_DETECTION = (
    "SET client_connection_check_interval = '1s'",
    "SET tcp_keepalives_idle = 15",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)


def run(
    transfers: Iterable[Transfer], warehouse: Warehouse | None = None, attempts: int = 1
) -> None:
    """Load each table, then publish all new versions in one transaction.

    If one transfer fails, none is published. Transfers that another process runs, or that have
    ended, are skipped. After a transient failure all are queued again, until they have had
    `attempts` attempts. Raises AlreadyRunning, and leaves all queued, if one has to wait for
    another transfer of its table; otherwise re-raises what failed.
    """
    claimed = _claim(list(transfers))
    if not claimed:
        return
    with Progress(claimed) as progress:
        try:
            source = warehouse or warehouses.connect(settings.WAREHOUSE_URL, progress.phase)
            _detect_disconnects()
            with disk_space.reported(), progress.interruptible():
                versions = _checked_versions(claimed, source, progress)
                warehouse_contact.record(up=True)
                _publish(claimed, versions)
            _log_results(claimed, versions, progress)
        except BaseException as raised:
            error = progress.refused or raised
            progress.log.add(run_log.details(error))
            if isinstance(error, WarehouseUnavailable):
                warehouse_contact.record(up=False)
            retry = not progress.lost and _is_transient(error) and claimed[0].attempt < attempts
            record, culprit = _queue_again if retry else _fail, progress.lost or progress.current
            _reconnecting(partial(record, claimed, culprit, error))
            progress.check()  # a lost transfer may fail with any error: report the loss instead
            raise
        finally:
            _reconnecting(partial(_prune, claimed))
            _reconnecting(progress.log.save)


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


def _detect_disconnects() -> None:
    """Make PostgreSQL end this connection's statement soon after this process dies."""
    for statement in DISCONNECT_DETECTION:
        execute(statement)


def _prune(transfers: list[Transfer]) -> None:
    for model in {tables.by_name(t.table) for t in transfers}:
        services.prune(model)


def _is_transient(error: BaseException) -> bool:
    """Whether another attempt can succeed although nobody changes anything."""
    return sqlstates.is_transient(error) or getattr(error, "transient", False)


def _is_permanent(error: BaseException) -> bool:
    return isinstance(error, DatabaseError) and not sqlstates.is_transient(error)


def _reconnecting(write: Callable[[], None]) -> None:
    """Write to the database, and reconnect if PostgreSQL is away for a moment."""
    deadline = time.monotonic() + RECONNECT_WITHIN
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(0.5)


def _queue_again(transfers: list[Transfer], culprit: Transfer | None, error: BaseException) -> None:
    """Queue all transfers of a run for another attempt.

    Or fail them, if another transfer waits for one of them: it does the same work next, and only
    one of a table can wait.
    """
    try:
        with transaction.atomic():
            for transfer in transfers:
                _release(transfer, _message(transfer, culprit, error))
    except IntegrityError:
        _fail(transfers, culprit, error)


def _release(transfer: Transfer, message: str) -> None:
    claims.release(
        transfer,
        attempt=F("attempt") + 1,
        phase="",
        rows_done=0,
        bytes_done=0,
        error=message,
        advice="It is tried again.",
    )


def _claim(transfers: list[Transfer]) -> list[Transfer]:
    """Claim the queued transfers, all or none; AlreadyRunning if one has to wait."""
    try:
        with transaction.atomic():
            # In the order of `services.ask`, so that two processes cannot deadlock.
            claimed = {t.pk for t in sorted(transfers, key=services.by_table) if claims.claim(t)}
        return [transfer for transfer in transfers if transfer.pk in claimed]
    except IntegrityError:
        services.wait(transfers)
        ahead = "; ".join(f"{t}, requested by {t.asked_by}" for t in services.behind(transfers))
        raise AlreadyRunning(
            f"Waiting for {ahead or 'another transfer'}.",
            advice="It starts when that has ended; one that lost its worker ends soon.",
        ) from None


def _publish(transfers: list[Transfer], versions: list[TableVersion]) -> None:
    """Publish the versions and mark the transfers as succeeded, in one transaction."""
    new = {version.table: version for version in versions}
    began = time.monotonic()
    with tracing.span("publish"), transaction.atomic():
        # First, because it can wait for locks: heartbeats stop once the transfers' rows are locked.
        writer.publish(versions)
        for transfer in transfers:
            version = new.get(transfer.table)
            if version:
                writer.save_checks(version, transfer.checks, transfer.used_override)
            status = Transfer.Status.SUCCEEDED if version else Transfer.Status.UNCHANGED
            _end(transfer, status, version=version, error="", advice="")
            writer.confirm(transfer.table)
        outbox.succeeded(transfers)
    for transfer in transfers:
        transfer.seconds["publishing"] = round(time.monotonic() - began, 3)
        transfer.save(update_fields=["seconds"])


def _end(transfer: Transfer, status: Transfer.Status, **values: object) -> None:
    """Record the end of a transfer; ClaimLost if this process lost it before."""
    transfer.status = status
    values |= {
        "status": status,
        "finished_at": Now(),
        "phase": transfer.phase if status == Transfer.Status.FAILED else "",
        "rows_done": transfer.rows_done,
        "rows_total": transfer.rows_total,
        "bytes_done": transfer.bytes_done,
        "seconds": transfer.seconds,
        "figures": transfer.figures,
        "source_version": transfer.source_version,
        "mode": transfer.mode,
        "notes": transfer.notes,
        "checks": transfer.checks,
    }
    if not claims.rows_of_claim(transfer).update(**values):
        raise ClaimLost(f"{transfer} was ended by others.", advice="Start it again.")


def _fail(transfers: list[Transfer], culprit: Transfer | None, error: BaseException) -> None:
    """Mark all transfers of a run as failed: the culprit by its error, the others because of it."""
    advice = getattr(error, "advice", "") or (
        PERMANENT_ADVICE if _is_permanent(error) else RETRY_ADVICE
    )
    for transfer in transfers:
        message = _message(transfer, culprit, error)
        try:
            with transaction.atomic():
                _end(transfer, Transfer.Status.FAILED, error=message, advice=advice)
                outbox.failed([transfer], message, advice)
        except ClaimLost:
            continue  # another process ended it and recorded why


def _log_results(
    transfers: list[Transfer], versions: list[TableVersion], progress: Progress
) -> None:
    """Add the last line to the log of each transfer."""
    new = {version.table: f"published {version}" for version in versions}
    for transfer in transfers:
        line = new.get(transfer.table, "nothing is new in the warehouse")
        progress.log.add(line, transfer)


def _message(transfer: Transfer, culprit: Transfer | None, error: BaseException) -> str:
    """The error to record for a transfer; all transfers share it if there is no culprit."""
    if culprit and transfer != culprit:
        return f"Not published, because {culprit} failed."
    return str(error) if isinstance(error, TransferError) else f"{type(error).__name__}: {error}"
