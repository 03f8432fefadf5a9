"""Changes of the warehouse that are asked for in the admin and done by a worker."""

import shutil
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from . import broker, ingest, warehouses
from .exceptions import TransferError
from .models import WarehouseJob


def ask(kind: str, asked_by: str, file: "UploadedFile[bytes] | None" = None) -> WarehouseJob:
    """A queued job; its file is kept in the storage, where any worker finds it."""
    name = Path(file.name or "records").name if file else ""
    return WarehouseJob.objects.create(kind=kind, asked_by=asked_by, file=file or "", name=name)


def run(pk: int) -> None:
    """Do a queued job and write down how it went; one that was taken or ended is left alone."""
    queued = WarehouseJob.objects.filter(pk=pk, status=WarehouseJob.Status.QUEUED)
    if not queued.update(status=WarehouseJob.Status.RUNNING, started_at=timezone.now()):
        return
    job = WarehouseJob.objects.get(pk=pk)
    try:
        job.outcome = "\n".join(_build() if job.kind == WarehouseJob.Kind.BUILD else _ingest(job))
        job.status = WarehouseJob.Status.SUCCEEDED
    except BaseException as error:
        fail(job, error)
        if not isinstance(error, TransferError):
            raise
    else:
        end(job)


def fail(job: WarehouseJob, error: BaseException) -> None:
    known = isinstance(error, TransferError)
    job.status = WarehouseJob.Status.FAILED
    job.error = str(error) if known else f"{type(error).__name__}: {error}"
    job.advice = getattr(error, "advice", "") or "The warehouse is as it was."
    end(job)


def end(job: WarehouseJob) -> None:
    """Write how a job ended, and let go of its file."""
    job.finished_at = timezone.now()
    if job.file:
        job.file.delete(save=False)
    job.save()


def _ingest(job: WarehouseJob) -> list[str]:
    warehouse = warehouses.connect(settings.WAREHOUSE_URL)
    mode: ingest.Mode = "replace" if job.kind == WarehouseJob.Kind.REPLACE else "append"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / job.name  # errors name the file as people know it
        with job.file.open() as stored, path.open("wb") as copy:
            shutil.copyfileobj(stored, copy)
        try:
            done = ingest.ingest(warehouse, [path], mode)
        except TransferError as error:
            error.args = (str(error).replace(f"{folder}/", ""),)
            raise
    there = {True: "records added", False: "records were there already"}
    counts = [f"{file.path.name}: {file.rows:,} {there[file.new]}" for file in done]
    return counts + [f"Warning: {warning}" for file in done for warning in file.warnings]


def _build() -> list[str]:
    built = broker.build(warehouses.connect(settings.WAREHOUSE_URL))
    made = [f"{table.table}: {table.rows:,} rows in {table.seconds:.2f} s" for table in built]
    return made or ["The tables are up to date: nothing changed since they were built."]
