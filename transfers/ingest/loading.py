"""Append the records of files to a table of the warehouse."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from transfers.exceptions import BadInput, SchemaMismatch
from transfers.warehouses import Change

from . import files
from .compressed import UnpackLimit
from .files import RecordFile
from .inputs import Part
from .plan import Plan

TYPES_ADVICE = "Replace all records, or rename the column."

type Progress = Callable[[Path, int, float], None]  # file, rows read, share read from 0 to 1


@dataclass
class Loaded:
    """The records of one file: how many, and their first and last date."""

    rows: int = 0
    first: date = date.max
    last: date = date.min
    warnings: tuple[str, ...] = ()

    def add(self, dates: pa.Array) -> None:
        limits = pc.min_max(dates)
        self.rows += len(dates)
        self.first = min(self.first, limits["min"].as_py())
        self.last = max(self.last, limits["max"].as_py())


def load(
    change: Change, table: str, planned: Plan, path: Path, key: str, progress: Progress
) -> Loaded:
    """Append the records of a file, which may be a zip of several."""
    limit, loaded = UnpackLimit(path), Loaded()
    for number, (part, layout) in enumerate(planned.files[path].items()):
        with files.open_records(part, layout, planned.lists, limit) as file:
            batches = _counted(path, file, loaded, progress)
            _append(change, table, part, file, batches, f"{key}x{number}" if number else key)
            loaded.warnings += file.warnings()
    return loaded


def _counted(
    path: Path, file: RecordFile, loaded: Loaded, progress: Progress
) -> Iterator[pa.RecordBatch]:
    rows = 0
    for batch in file.batches:
        rows += batch.num_rows
        loaded.add(batch["Flight_Date"])
        progress(path, loaded.rows, file.share(rows))
        yield batch


def _append(
    change: Change,
    table: str,
    part: Part,
    file: RecordFile,
    batches: Iterator[pa.RecordBatch],
    key: str,
) -> None:
    try:
        change.append(table, file.schema, batches, key)
    except SchemaMismatch as error:
        raise BadInput(str(error), file=str(part), advice=TYPES_ADVICE) from None
