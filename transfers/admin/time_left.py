"""Estimate how long a transfer, a job or an export still takes."""

from datetime import datetime

from django.utils import timezone

from flights import claims
from flights.admin import formats
from transfers.models import Transfer, WarehouseJob


def of_transfer(transfer: Transfer) -> str:
    """Estimate by the last transfer of the table that took the same way; else by the rows."""
    if transfer.phase == Transfer.WAITING or not transfer.started_at:
        return ""
    alike = Transfer.objects.filter(table=transfer.table, mode=transfer.mode)
    last = alike.filter(status=Transfer.Status.SUCCEEDED, rows_done__gt=0).first()
    elapsed = claims.worked(transfer)
    if last and (left := last.worked - elapsed.total_seconds()) > 0:
        return formats.about(left)
    if transfer.phase != "copying":
        return ""  # without an earlier transfer only copying has a rate
    return formats.time_left(transfer.rows_done, transfer.rows_total, elapsed)


def of_job(job: WarehouseJob) -> str:
    """Estimate by the rate of the step that runs."""
    progress, steps = job.progress, job.steps
    if not progress:
        return ""
    started = datetime.fromisoformat(steps[-1]["started_at"]) if steps else job.started_at
    elapsed = timezone.now() - (started or timezone.now())
    return formats.time_left(progress["done"], progress["total"], elapsed)
