"""Record how the transfers of a run ended: all are published, queued again, or failed."""

import time

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from flights import claims, sqlstates, tracing
from flights.models import TableVersion
from transfers.alerts import outbox
from transfers.exceptions import ClaimLost, TransferError
from transfers.load import publication
from transfers.models import Transfer

from .progress import Progress

RETRY_ADVICE = "Start it again; the log has the details."
PERMANENT_ADVICE = (
    "PostgreSQL refuses it. It fails again until the cause is removed; the log has the details."
)


def publish(transfers: list[Transfer], versions: list[TableVersion]) -> None:
    """Publish the versions and mark the transfers as succeeded, in one transaction."""
    new = {version.table: version for version in versions}
    began = time.monotonic()
    with tracing.span("publish"), transaction.atomic():
        # First, because it can wait for locks: heartbeats stop once the transfers' rows are locked.
        publication.publish(versions)
        for transfer in transfers:
            version = new.get(transfer.table)
            if version:
                publication.save_checks(version, transfer.checks, transfer.used_override)
            status = Transfer.Status.SUCCEEDED if version else Transfer.Status.UNCHANGED
            _end(transfer, status, version=version, error="", advice="")
            publication.confirm(transfer.table)
        outbox.succeeded(transfers)
    for transfer in transfers:
        transfer.seconds["publishing"] = round(time.monotonic() - began, 3)
        transfer.save(update_fields=["seconds"])


def log(transfers: list[Transfer], versions: list[TableVersion], progress: Progress) -> None:
    """Add the last line to the log of each transfer."""
    new = {version.table: f"published {version}" for version in versions}
    for transfer in transfers:
        line = new.get(transfer.table, "nothing is new in the warehouse")
        progress.log.add(line, transfer)


def queue_again(transfers: list[Transfer], culprit: Transfer | None, error: BaseException) -> None:
    """Queue all transfers of a run for another attempt.

    If another transfer of one of the tables is queued already, mark them as failed instead: that
    transfer does the same work, and only one transfer of a table can be queued.
    """
    try:
        with transaction.atomic():
            for transfer in transfers:
                _release(transfer, _message(transfer, culprit, error))
    except IntegrityError:
        fail(transfers, culprit, error)


def _release(transfer: Transfer, message: str) -> None:
    transfer.status = Transfer.Status.QUEUED  # tells the heartbeats that the claim ends now
    claims.release(
        transfer,
        attempt=F("attempt") + 1,
        phase="",
        rows_done=0,
        bytes_done=0,
        error=message,
        advice="AirSense retries it.",
    )


def fail(transfers: list[Transfer], culprit: Transfer | None, error: BaseException) -> None:
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


def is_transient(error: BaseException) -> bool:
    """Whether another attempt can succeed although nobody changes anything."""
    return sqlstates.is_transient(error) or getattr(error, "transient", False)


def _is_permanent(error: BaseException) -> bool:
    return isinstance(error, DatabaseError) and not sqlstates.is_transient(error)


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
        raise ClaimLost(f"Another process ended {transfer}.", advice="Start it again.")


def _message(transfer: Transfer, culprit: Transfer | None, error: BaseException) -> str:
    """The error to record for a transfer; all transfers share it if there is no culprit."""
    if culprit and transfer != culprit:
        return f"Not published, because {culprit} failed."
    return str(error) if isinstance(error, TransferError) else f"{type(error).__name__}: {error}"
