"""Changes of the warehouse that people ask for in the admin and a worker makes, one at a time.

The rows are the queue. A worker takes the oldest, sends heartbeats while it works, and goes on
until none waits; `reap` puts back what lost its worker. To do a job twice changes nothing: the
warehouse knows the files that it has, and the records that its tables were built from.
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
# A file that no job names by then was left by a process that was killed while it stored it.
ORPHANED_AFTER = timedelta(hours=1)
LOST = "Its worker stopped in the middle."
AGAIN = "See the worker's log, and start it again."
log = logging.getLogger(__name__)


def ask(kind: str, asked_by: str, file: "UploadedFile[bytes] | None" = None) -> WarehouseJob:
    """A queued job; its file is kept in the storage, where any worker finds it."""
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
            job.file.storage.delete(f"{UPLOADS}/{stored}")  # also the half that fitted
        raise
    return job


def work() -> None:
    """Do what waits, oldest first, until nothing does or another process does one."""
    while (job := _claimed()) and _do(job):
        pass


def reap() -> bool:
    """Give up the jobs whose worker is gone; returns whether a job waits to be done."""
    for job in claims.lost(WarehouseJob, settings.JOB_LOST_AFTER):
        if _give_back(job):
            log.warning("%s had lost its worker", job)
        else:
            fail(job, TransferError(LOST, advice=AGAIN))
    return WarehouseJob.objects.filter(status=Status.QUEUED).exists()


def fail(job: WarehouseJob, error: Exception) -> None:
    """End a job that this process has, or that no worker can be told of."""
    known = isinstance(error, TransferError)
    text = str(error) if known else f"{type(error).__name__}: {error}"
    advice = getattr(error, "advice", "") or "The warehouse is as it was."
    if _end(job, status=Status.FAILED, error=text, advice=advice):
        log.error("%s failed: %s", job, text)


def remove_orphans() -> int:
    """Remove uploads that no job names; returns how many."""
    storage = WarehouseJob._meta.get_field("file").storage
    if not storage.exists(UPLOADS):
        return 0
    before = timezone.now() - ORPHANED_AFTER
    kept = set(WarehouseJob.objects.exclude(file="").values_list("file", flat=True))
    names = [f"{UPLOADS}/{name}" for name in storage.listdir(UPLOADS)[1]]
    orphans = [n for n in names if n not in kept and storage.get_modified_time(n) < before]
    for name in orphans:
        storage.delete(name)
    return len(orphans)


def _claimed() -> WarehouseJob | None:
    """The job that waited longest, for this process; None while any is running."""
    with transaction.atomic():
        active = WarehouseJob.objects.filter(status__in=WarehouseJob.ACTIVE).order_by("pk")
        rows = list(active.select_for_update())
        if not rows or any(job.status == Status.RUNNING for job in rows):
            return None
        claims.claim(rows[0])
        return rows[0]


def _do(job: WarehouseJob) -> bool:
    """Do one job and write down how it went; False where it has to wait for another time."""
    try:
        with claims.Heartbeat(partial(_beat, job)), disk_errors.reported("It was not possible"):
            outcome = _build() if job.kind == WarehouseJob.Kind.BUILD else _ingest(job)
    except WarehouseBusy as busy:  # a command changes it: no attempt is lost by waiting
        _put_back(job, busy)
        return False
    except TransferError as error:
        if error.transient and _give_back(job, error):
            return False
        fail(job, error)
    except Exception as error:
        log.exception("%s", job)
        fail(job, error)
    else:
        _end(job, status=Status.SUCCEEDED, outcome="\n".join(outcome), error="", advice="")
    return True


def _beat(job: WarehouseJob) -> None:
    claims.held(job).update(heartbeat_at=timezone.now())


def _give_back(job: WarehouseJob, error: Exception | None = None) -> bool:
    """Queue a job for another attempt; False where it had all that it may have."""
    if job.attempt >= settings.JOB_ATTEMPTS:
        return False
    return _put_back(job, error, attempt=F("attempt") + 1)


def _put_back(job: WarehouseJob, error: Exception | None = None, **values: Any) -> bool:
    text = str(error or LOST)
    return bool(
        claims.held(job).update(
            status=Status.QUEUED, error=text, advice="It is tried again.", **values
        )
    )


def _end(job: WarehouseJob, **values: Any) -> bool:
    """Write how a job ended, and let go of its file; False where others ended it before."""
    never_claimed = WarehouseJob.objects.filter(pk=job.pk, status__in=WarehouseJob.ACTIVE)
    rows = claims.held(job) if job.claim else never_claimed
    with transaction.atomic():
        if not rows.update(finished_at=timezone.now(), file="", **values):
            return False
        outbox.job_ended(job, values["error"], values["advice"])
    if job.file:
        job.file.delete(save=False)
    return True


def _ingest(job: WarehouseJob) -> list[str]:
    warehouse = warehouses.connect(settings.WAREHOUSE_URL)
    mode: raw_table.Mode = "replace" if job.kind == WarehouseJob.Kind.REPLACE else "append"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / job.name  # errors name the file as people know it
        path.symlink_to(job.file.path)
        try:
            done = raw_table.ingest(warehouse, [path], mode)
        except TransferError as error:
            error.args = (str(error).replace(f"{folder}/", ""),)
            raise
    there = {True: "records added", False: "records were there already"}
    counts = [f"{file.path.name}: {file.rows:,} {there[file.new]}" for file in done]
    return counts + [f"Warning: {warning}" for file in done for warning in file.warnings]


def _build() -> list[str]:
    built = broker.build(warehouses.connect(settings.WAREHOUSE_URL))
    made = [f"{table.name}: {table.rows:,} rows in {table.seconds:.2f} s" for table in built]
    return made or ["The tables are up to date: nothing has changed since the last build."]
