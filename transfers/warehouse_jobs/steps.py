"""Ingest and build, as jobs do it. Each returns lines that say what it did."""

from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from transfers import broker, warehouses
from transfers.ingest import raw_table
from transfers.ingest.plan import Plan
from transfers.ingest.raw_table import Mode
from transfers.models import WarehouseJob

from . import stored_folder, uploads


def ingest_upload(job: WarehouseJob, mode: Mode) -> list[str]:
    """Ingest the file that the job has."""
    with uploads.planned(job.file.path, job.name, job.mapping) as planned:
        return ingest(planned, mode)


def ingest_folder(job: WarehouseJob, mode: Mode) -> list[str]:
    """Ingest the files of a folder on this machine; they stay there."""
    return ingest([stored_folder.path(job.arguments[0])], mode)


def ingest(files: Sequence[Path] | Plan, mode: Mode) -> list[str]:
    """Ingest files, all or none; returns a line for each file, then the warnings."""
    results = raw_table.ingest(warehouses.connect(settings.WAREHOUSE_URL), files, mode)
    words = {True: "records added", False: "records were there already"}
    counts = [f"{file.path.name}: {file.rows:,} {words[file.new]}" for file in results]
    return counts + [f"Warning: {warning}" for file in results for warning in file.warnings]


def build() -> list[str]:
    """Build the final tables; returns a line for each table."""
    return broker.lines(broker.build(warehouses.connect(settings.WAREHOUSE_URL)))
