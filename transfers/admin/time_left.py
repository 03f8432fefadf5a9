"""Estimate the remaining time of a transfer or a job, as text; "" if it is unknown."""

from datetime import datetime

from django.utils import timezone

from flights import claims
from flights.admin import formats
from transfers.models import Transfer, WarehouseJob


def of_transfer(transfer: Transfer) -> str:
    """Estimate by the table's last transfer in the same mode; else by the rate of copied rows."""
    if transfer.phase == Transfer.WAITING or not transfer.started_at:
        return ""
    similar = Transfer.objects.filter(table=transfer.table, mode=transfer.mode)
    last = similar.filter(status=Transfer.Status.SUCCEEDED, rows_done__gt=0).first()
    elapsed = claims.worked(transfer)
    if last and (seconds := last.worked - elapsed.total_seconds()) > 0:
        return formats.about(seconds)
    if transfer.phase != "copying":
        return ""  # without an earlier transfer only copying has a rate
    return formats.time_left(transfer.rows_done, transfer.rows_total, elapsed)


def of_job(job: WarehouseJob) -> str:
    """Estimate by the rate of the running step."""
    progress, steps = job.progress, job.steps
    if not progress:
        return ""
    started = datetime.fromisoformat(steps[-1]["started_at"]) if steps else job.started_at
    elapsed = timezone.now() - (started or timezone.now())
    return formats.time_left(progress["done"], progress["total"], elapsed)
