"""Warehouse jobs: changes of the warehouse that people start in the admin, or that are scheduled.

Workers run them one at a time, oldest first. A job can run twice without harm: the warehouse
recognizes files that it has ingested, and records that its tables were built from.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from flights import claims
from transfers import disk_errors, run_log
from transfers.alerts import outbox
from transfers.exceptions import TransferError, WarehouseBusy
from transfers.ingest.raw_table import Mode, Treatment
from transfers.models import WarehouseJob
from transfers.run_log import Recorder

from . import preview, publication, steps, uploads
from .uploads import Upload, remove_orphans

__all__ = ["Upload", "active", "fail", "fail_active", "queue", "reap", "remove_orphans", "work"]

Kind, Status = WarehouseJob.Kind, WarehouseJob.Status
MODES: dict[str, Mode] = {Kind.APPEND: "append", Kind.REPLACE: "replace", Kind.MONTHS: "months"}
WORKER_DIED = "Its worker stopped unexpectedly."
RETRY_ADVICE = "See the worker's log, and start it again."
log = logging.getLogger(__name__)


def queue(
    kind: str,
    asked_by: str,
    file: "Upload | UploadedFile[bytes] | None" = None,
    arguments: Sequence[str] = (),
    repeated: Treatment = "keep",
) -> WarehouseJob:
    """Queue a job. Its file goes to the storage, where every worker can read it.

    `arguments` depend on its kind: months, stored files with options, or tables. `repeated` says
    what to do with repeated flights of an uploaded file.
    """
    job = WarehouseJob(kind=kind, asked_by=asked_by, arguments=list(arguments))
    job.name = ", ".join(arguments)
    if not file:
        job.save()
        return job
    upload = uploads.confirm(file) if isinstance(file, Upload) else uploads.store(file)
    job.file.name, job.name, job.mapping = upload.stored, upload.name, upload.mapping
    job.options = {"repeated": repeated, **upload.lists}
    try:
        job.save()
    except BaseException:
        uploads.remove(upload)
        raise
    return job


def active(kind: str, arguments: Sequence[str]) -> WarehouseJob | None:
    """Return a queued or running job of this kind with these arguments."""
    jobs = WarehouseJob.objects.filter(kind=kind, arguments=list(arguments))
    return jobs.filter(status__in=WarehouseJob.ACTIVE).first()


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
    """Mark a job as failed that this process claimed, or whose task the queue did not accept."""
    is_expected = isinstance(error, TransferError)
    message = str(error) if is_expected else f"{type(error).__name__}: {error}"
    advice = getattr(error, "advice", "") or "The warehouse has not changed."
    if _end(job, status=Status.FAILED, error=message, advice=advice):
        log.error("%s failed: %s", job, message)


def fail_active(reason: str, advice: str) -> int:
    """Mark all queued and running jobs as failed; returns their number."""
    jobs = list(WarehouseJob.objects.filter(status__in=WarehouseJob.ACTIVE))
    for job in jobs:
        fail(job, TransferError(reason, advice=advice))
    return len(jobs)


def _run(job: WarehouseJob) -> bool:
    """Run a claimed job and record its result; False if it has to be retried later."""
    try:
        with (
            Recorder([job], lambda: job) as lines,
            claims.Heartbeat(partial(_beat, job, lines)),
            disk_errors.reported("The job cannot continue"),
            _recorded(job, lines),
        ):
            outcome = _do(job)
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


def _beat(job: WarehouseJob, lines: Recorder) -> None:
    steps.beat(job)
    lines.save()


@contextmanager
def _recorded(job: WarehouseJob, lines: Recorder) -> Iterator[None]:
    """Record the begin and the end of an attempt in the job's log."""
    lines.add(f"attempt {job.attempt}: {job}")
    try:
        yield
        lines.add("succeeded")
    except BaseException as error:
        lines.add(run_log.details(error))
        raise


def _do(job: WarehouseJob) -> list[str]:
    """Do the work of a job; returns lines that say what it did."""
    if job.kind == Kind.BUILD:
        return steps.build()
    if job.kind == Kind.PUBLISH:
        return publication.run(job)
    if job.kind == Kind.PREVIEW:
        return preview.run(job)
    ingest = steps.ingest_stored if job.arguments else steps.ingest_upload
    return ingest(job, MODES[job.kind])


def _retry(job: WarehouseJob, reason: str) -> bool:
    """Queue a job for another attempt; False after its last attempt."""
    if job.attempt >= settings.JOB_ATTEMPTS:
        return False
    return _queue_again(job, reason, attempt=F("attempt") + 1)


def _queue_again(job: WarehouseJob, reason: str, **values: Any) -> bool:
    return claims.release(job, error=reason, advice="AirSense retries it.", progress=None, **values)


def _end(job: WarehouseJob, **values: Any) -> bool:
    """Record the end of a job and remove its file; False if it ended before."""
    never_claimed = WarehouseJob.objects.filter(pk=job.pk, status__in=WarehouseJob.ACTIVE)
    rows = claims.rows_of_claim(job) if job.claim else never_claimed
    with transaction.atomic():
        if not rows.update(finished_at=Now(), file="", progress=None, **values):
            return False
        outbox.job_ended(job, values["error"], values["advice"])
        if job.file:
            transaction.on_commit(partial(uploads.remove, Upload.of(job)))
    return True
