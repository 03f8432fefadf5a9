"""Record the steps of jobs, and run those that ingest files and build tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from flights import claims
from transfers import broker, warehouses
from transfers.exceptions import ClaimLost
from transfers.ingest import raw_table
from transfers.ingest.plan import Plan
from transfers.ingest.raw_table import Mode, Treatment
from transfers.models import WarehouseJob

from . import stored_files, upload_plan
from .uploads import Upload


def of(job: WarehouseJob, name: str) -> dict[str, Any]:
    """Return the record of a step; empty if the step has not begun."""
    return next((step for step in job.steps if step["name"] == name), {})


def record(job: WarehouseJob, name: str, **values: object) -> None:
    """Update the record of a step in the database; ClaimLost if another process runs the job."""
    others = [step for step in job.steps if step["name"] != name]
    job.steps = [*others, {"name": name, **of(job, name), **values}]
    job.progress = None
    if not claims.beat(job, steps=job.steps, progress=None):
        raise ClaimLost(f"Another process ended {job}.", advice="Start it again.")


def beat(job: WarehouseJob) -> None:
    """Write a heartbeat, with the progress of the running step."""
    claims.beat(job, progress=job.progress)


def note(job: WarehouseJob, name: str, done: float, total: float | None, unit: str) -> None:
    """Note the progress of a step, in rows or MiB; the next heartbeat writes it."""
    job.progress = {"name": name, "done": done, "total": total, "unit": unit}


def now() -> str:
    return timezone.now().isoformat(timespec="milliseconds")


def ingest_upload(job: WarehouseJob, mode: Mode) -> list[str]:
    """Ingest the job's uploaded file."""
    with upload_plan.planned(Upload.of(job)) as planned:
        return ingest(job, planned, mode, job.options.get("repeated", "keep"))


def ingest_stored(job: WarehouseJob, mode: Mode) -> list[str]:
    """Ingest files and folders on this machine; they stay there."""
    arguments = stored_files.read(job.arguments)
    return ingest(job, arguments.plan(), mode, arguments.repeated)


def ingest(
    job: WarehouseJob, files: Sequence[Path] | Plan, mode: Mode, repeated: Treatment = "keep"
) -> list[str]:
    """Ingest files, all or none; returns a line for each file, then the warnings."""

    def progress(path: Path, rows: int, share: float) -> None:
        note(job, f"ingest {path.name}", rows, rows / share if share else None, "rows")

    warehouse = warehouses.connect(settings.WAREHOUSE_URL)
    results = raw_table.ingest(warehouse, files, mode, progress, repeated)
    words = {True: "records added", False: "records were there already"}
    counts = [f"{file.path.name}: {file.rows:,} {words[file.new]}" for file in results]
    return counts + [f"Warning: {warning}" for file in results for warning in file.warnings]


def build() -> list[str]:
    """Build the final tables; returns a line for each table."""
    return broker.lines(broker.build(warehouses.connect(settings.WAREHOUSE_URL)))
