"""Ingest and build, as jobs do it. Each returns lines that say what it did."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from transfers import broker, warehouses
from transfers.exceptions import TransferError
from transfers.ingest import raw_table
from transfers.models import WarehouseJob

from . import stored_folder


def ingest_upload(job: WarehouseJob, mode: raw_table.Mode) -> list[str]:
    """Ingest the file that the job has; returns a line for each file in it, then the warnings."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / job.name  # errors show the file's original name
        path.symlink_to(job.file.path)
        try:
            return ingest([path], mode)
        except TransferError as error:
            error.args = (str(error).replace(f"{folder}/", ""),)
            raise


def ingest_folder(job: WarehouseJob, mode: raw_table.Mode) -> list[str]:
    """Ingest the files of a folder on this machine; they stay there."""
    return ingest(stored_folder.files(job.arguments[0]), mode)


def ingest(paths: Sequence[Path], mode: raw_table.Mode) -> list[str]:
    """Ingest files, all or none."""
    files = raw_table.ingest(warehouses.connect(settings.WAREHOUSE_URL), paths, mode)
    results = {True: "records added", False: "records were there already"}
    counts = [f"{file.path.name}: {file.rows:,} {results[file.new]}" for file in files]
    return counts + [f"Warning: {warning}" for file in files for warning in file.warnings]


def build() -> list[str]:
    """Build the final tables; returns a line for each table."""
    tables = broker.build(warehouses.connect(settings.WAREHOUSE_URL))
    lines = [table.summary for table in tables]
    return lines or ["The tables are up to date: nothing has changed since the last build."]
