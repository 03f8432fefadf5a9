"""How the transfers of one process run: claimed, loaded, published together or failed together."""

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
from django.utils import timezone

from flights import claims, sqlstates, tables
from flights.models import TableVersion
from transfers import services, warehouses
from transfers.alerts import outbox
from transfers.exceptions import AlreadyRunning, ClaimLost, TransferError
from transfers.load import disk_space, writer
from transfers.load.statements import execute
from transfers.models import Transfer
from transfers.warehouses import Warehouse

from . import pipeline
from .progress import Progress

# How long PostgreSQL may be away before a failure can no longer be written down.
BACK_WITHIN = 15.0  # seconds
AGAIN = "Start it again; the log has the details."
PERMANENT = (
    "PostgreSQL refuses it. It fails again until the cause is removed; the log has the details."
)
# What PostgreSQL would otherwise work on, and its locks, outlive a process that was killed; and
# hours pass until it misses a machine that is gone.
NOTICED_BY_POSTGRESQL = (
    "SET client_connection_check_interval = '1s'",
    "SET tcp_keepalives_idle = 15",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)


def run(
    transfers: Iterable[Transfer], warehouse: Warehouse | None = None, attempts: int = 1
) -> None:
    """Load each table, then publish together those that have a new version.

    Where one fails none is published: tables that were asked for together are seen together.
    Transfers that another process has taken, or that ended, are left alone. AlreadyRunning where
    one has to wait; then all stay queued. A fault that may pass puts them back into the queue, with
    the fault noted, until they had so many attempts.
    """
    claimed = _claimed(list(transfers))
    if not claimed:
        return
    with Progress(claimed) as progress:
        try:
            source = warehouse or warehouses.connect(settings.WAREHOUSE_URL, progress.phase)
            _let_postgresql_notice()
            with disk_space.reported():
                versions = [pipeline.new_version(t, source, progress) for t in claimed]
                _publish(claimed, [v for v in versions if v])
        except BaseException as raised:
            error = progress.refused or raised
            again = not progress.lost and _passes(error) and claimed[0].attempt < attempts
            settle, culprit = _put_back if again else _fail, progress.lost or progress.current
            _when_back(partial(settle, claimed, culprit, error))
            progress.check()  # what was given up fails in whatever it did at that moment
            raise
        finally:
            _when_back(partial(_prune, claimed))


def _let_postgresql_notice() -> None:
    """Let it end what this connection runs soon after the end of this process."""
    for statement in NOTICED_BY_POSTGRESQL:
        execute(statement)


def _prune(transfers: list[Transfer]) -> None:
    for model in {tables.by_name(t.table) for t in transfers}:
        services.prune(model)


def _passes(error: BaseException) -> bool:
    """Whether the same may succeed later though nobody changes anything."""
    return sqlstates.is_transient(error) or getattr(error, "transient", False)


def _is_permanent(error: BaseException) -> bool:
    return isinstance(error, DatabaseError) and not sqlstates.is_transient(error)


def _when_back(write: Callable[[], None]) -> None:
    """Write, also where PostgreSQL is away for a moment."""
    deadline = time.monotonic() + BACK_WITHIN
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(0.5)


def _put_back(transfers: list[Transfer], culprit: Transfer | None, error: BaseException) -> None:
    """Queue all transfers of a run for another attempt."""
    for transfer in transfers:
        claims.held(transfer).update(
            status=Transfer.Status.QUEUED,
            attempt=F("attempt") + 1,
            phase="",
            rows_done=0,
            bytes_done=0,
            error=_told(transfer, culprit, error),
            advice="It is tried again.",
        )


def _claimed(transfers: list[Transfer]) -> list[Transfer]:
    """Take the queued ones for this process, all or none."""
    try:
        with transaction.atomic():
            return [t for t in transfers if claims.claim(t)]
    except IntegrityError:
        waits = "; ".join(f"{t}, asked for by {t.asked_by}" for t in services.behind(transfers))
        raise AlreadyRunning(
            f"This waits behind {waits or 'another transfer'}.",
            advice="It starts when that has ended; one that lost its worker ends soon.",
        ) from None


def _publish(transfers: list[Transfer], versions: list[TableVersion]) -> None:
    """Make the versions current and the transfers succeeded, all in one transaction."""
    made = {version.table: version for version in versions}
    began = time.monotonic()
    with transaction.atomic():
        # First, as it may have to wait: heartbeats go on until the transfers' rows are written.
        writer.publish(versions)
        for transfer in transfers:
            version = made.get(transfer.table)
            done = Transfer.Status.SUCCEEDED if version else Transfer.Status.UNCHANGED
            _end(transfer, done, version=version, error="", advice="")
            writer.confirm(transfer.table)
        outbox.succeeded(transfers)
    for transfer in transfers:
        transfer.seconds["publishing"] = round(time.monotonic() - began, 3)
        transfer.save(update_fields=["seconds"])


def _end(transfer: Transfer, status: Transfer.Status, **values: object) -> None:
    """Write how a transfer of this process ended; ClaimLost where others ended it before."""
    transfer.status, transfer.finished_at = status, timezone.now()
    values |= {
        "status": status,
        "finished_at": transfer.finished_at,
        "phase": transfer.phase if status == Transfer.Status.FAILED else "",
        "rows_done": transfer.rows_done,
        "rows_total": transfer.rows_total,
        "bytes_done": transfer.bytes_done,
        "seconds": transfer.seconds,
        "figures": transfer.figures,
        "source_version": transfer.source_version,
        "mode": transfer.mode,
        "notes": transfer.notes,
    }
    if not claims.held(transfer).update(**values):
        raise ClaimLost(f"{transfer} was ended by others.", advice="Start it again.")


def _fail(transfers: list[Transfer], culprit: Transfer | None, error: BaseException) -> None:
    """Mark all transfers of a run failed: one for its own fault, the others because of it."""
    advice = getattr(error, "advice", "") or (PERMANENT if _is_permanent(error) else AGAIN)
    for transfer in transfers:
        theirs = _told(transfer, culprit, error)
        try:
            with transaction.atomic():
                _end(transfer, Transfer.Status.FAILED, error=theirs, advice=advice)
                outbox.failed([transfer], theirs, advice)
        except ClaimLost:
            continue  # whoever ended it has said why


def _told(transfer: Transfer, culprit: Transfer | None, error: BaseException) -> str:
    """The error, in a transfer's words; all of a run have it where it was none's own."""
    if culprit and transfer != culprit:
        return f"Not published, because {culprit} failed."
    return str(error) if isinstance(error, TransferError) else f"{type(error).__name__}: {error}"
