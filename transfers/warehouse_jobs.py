"""Warehouse jobs: changes of the warehouse that people start in the admin.

Workers run them one at a time, oldest first. A job can run twice without harm: the warehouse
recognizes files that it has ingested, and records that its tables were built from.
"""

import logging
import tempfile
import uuid
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from flights import claims

from . import broker, disk_errors, warehouses
from .alerts import outbox
from .exceptions import TransferError, WarehouseBusy
from .ingest import raw_table
from .models import WarehouseJob

Status = WarehouseJob.Status
UPLOADS = "uploads"
# A younger upload without a job may be one that a web process stores now.
ORPHANED_AFTER = timedelta(hours=1)
WORKER_DIED = "Its worker stopped unexpectedly."
RETRY_ADVICE = "See the worker's log, and start it again."
log = logging.getLogger(__name__)


def ask(kind: str, asked_by: str, file: "UploadedFile[bytes] | None" = None) -> WarehouseJob:
    """Queue a job. Its file goes to the storage, where every worker can read it."""
    name = Path(file.name or "records").name if file else ""
    job = WarehouseJob(kind=kind, asked_by=asked_by, name=name)
    stored = str(uuid.uuid4())
    try:
        with disk_errors.reported("The file cannot be stored"):
            if file:
                job.file.save(stored, file, save=False)
        job.save()
    except BaseException:
        with suppress(OSError):
            job.file.storage.delete(f"{UPLOADS}/{stored}")  # a full disk may hold a part of it
        raise
    return job


def work() -> None:
    """Run queued jobs, oldest first, until none is left or another process runs one."""
    while job := claims.claim_next(WarehouseJob.objects.order_by("pk"), at_once=1):
        if not _run(job):
            break


def reap() -> bool:
    """Queue jobs again whose worker died, or fail them; returns whether a job is queued."""
    with claims.lost(WarehouseJob, settings.JOB_LOST_AFTER) as jobs:
        for job in jobs:
            if _retry(job, WORKER_DIED):
                log.warning("%s lost its worker and is queued again", job)
            else:
                fail(job, TransferError(WORKER_DIED, advice=RETRY_ADVICE))
    return WarehouseJob.objects.filter(status=Status.QUEUED).exists()


def fail(job: WarehouseJob, error: Exception) -> None:
    """End a job that this process claimed, or that the queue of tasks did not accept."""
    known = isinstance(error, TransferError)
    message = str(error) if known else f"{type(error).__name__}: {error}"
    advice = getattr(error, "advice", "") or "The warehouse is as it was."
    if _end(job, status=Status.FAILED, error=message, advice=advice):
        log.error("%s failed: %s", job, message)


def remove_orphans() -> int:
    """Remove uploads without a job; returns their number."""
    storage = WarehouseJob._meta.get_field("file").storage
    if not storage.exists(UPLOADS):
        return 0
    before = timezone.now() - ORPHANED_AFTER
    owned = set(WarehouseJob.objects.exclude(file="").values_list("file", flat=True))
    names = [f"{UPLOADS}/{name}" for name in storage.listdir(UPLOADS)[1]]
    orphans = [n for n in names if n not in owned and storage.get_modified_time(n) < before]
    for name in orphans:
        storage.delete(name)
    return len(orphans)


def _run(job: WarehouseJob) -> bool:
    """Run a claimed job and record its result; False if it has to be retried later."""
    try:
        with (
            claims.Heartbeat(partial(claims.beat, job)),
            disk_errors.reported("It was not possible"),
        ):
            outcome = _build() if job.kind == WarehouseJob.Kind.BUILD else _ingest(job)
    except WarehouseBusy as busy:  # a command uses the warehouse: this costs the job no attempt
        _queue_again(job, str(busy))
        return False
    except TransferError as error:
        if error.transient and _retry(job, str(error)):
            return False
        fail(job, error)
    except Exception as error:
        log.exception("%s", job)
        fail(job, error)
    else:
        _end(job, status=Status.SUCCEEDED, outcome="\n".join(outcome), error="", advice="")
    return True


def _retry(job: WarehouseJob, reason: str) -> bool:
    """Queue a job for another attempt; False after its last attempt."""
    if job.attempt >= settings.JOB_ATTEMPTS:
        return False
    return _queue_again(job, reason, attempt=F("attempt") + 1)


def _queue_again(job: WarehouseJob, reason: str, **values: Any) -> bool:
    return claims.release(job, error=reason, advice="It is tried again.", **values)


def _end(job: WarehouseJob, **values: Any) -> bool:
    """Record the end of a job and remove its file; False if it ended before."""
    never_claimed = WarehouseJob.objects.filter(pk=job.pk, status__in=WarehouseJob.ACTIVE)
    rows = claims.held(job) if job.claim else never_claimed
    with transaction.atomic():
        if not rows.update(finished_at=timezone.now(), file="", **values):
            return False
        outbox.job_ended(job, values["error"], values["advice"])
        if job.file:
            transaction.on_commit(partial(job.file.delete, save=False))
    return True


def _ingest(job: WarehouseJob) -> list[str]:
    """Ingest the job's file; returns one line for each file in it, then the warnings."""
    warehouse = warehouses.connect(settings.WAREHOUSE_URL)
    mode: raw_table.Mode = "replace" if job.kind == WarehouseJob.Kind.REPLACE else "append"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / job.name  # errors show the file's original name
        path.symlink_to(job.file.path)
        try:
            files = raw_table.ingest(warehouse, [path], mode)
        except TransferError as error:
            error.args = (str(error).replace(f"{folder}/", ""),)
            raise
    results = {True: "records added", False: "records were there already"}
    counts = [f"{file.path.name}: {file.rows:,} {results[file.new]}" for file in files]
    return counts + [f"Warning: {warning}" for file in files for warning in file.warnings]


def _build() -> list[str]:
    """Build the final tables; returns one line for each table."""
    tables = broker.build(warehouses.connect(settings.WAREHOUSE_URL))
    return [table.summary for table in tables] or [
        "The tables are up to date: nothing has changed since the last build."
    ]
