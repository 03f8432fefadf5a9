"""Puts raw flight records from files into the warehouse: all files of one call, or none."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pyarrow as pa

from transfers.exceptions import BadInput, RecordsThere, SchemaMismatch
from transfers.warehouses import Change, Warehouse

from . import files
from .files import RecordFile

RAW = "raw_flight_records"
INGESTED = "ingested_files"
INGESTED_SCHEMA = pa.schema(
    [
        ("Digest", pa.string()),
        ("Name", pa.string()),
        ("Record_Count", pa.int64()),
        ("Ingested_At", pa.timestamp("us", "UTC")),
    ]
)

type Mode = Literal["append", "replace"]
type Progress = Callable[[Path, int, float], None]  # of a file: rows, and its share from 0 to 1


@dataclass(frozen=True)
class Ingested:
    """What became of a file; `new` is False where its records were there already."""

    path: Path
    rows: int
    new: bool
    warnings: tuple[str, ...] = ()  # what is odd in records that were added


@dataclass(frozen=True)
class Loaded:
    rows: int
    warnings: tuple[str, ...] = ()


def ingest(
    warehouse: Warehouse,
    paths: Sequence[Path],
    mode: Mode | None = None,
    progress: Progress = lambda path, rows, share: None,
) -> list[Ingested]:
    """Add the files' records to the raw table, or put them in its place.

    A file whose content was ingested before is left out. Without a mode the raw table must have
    no other records.
    """
    digests: dict[str, Path] = {}
    for path in paths:
        digests.setdefault(files.digest(path), path)
    with warehouse.change() as change:
        known, records = _known(change), _records(change)
        if mode == "replace" and records and known.keys() != digests.keys():
            # In this order: where a kill comes between, no file is taken for one that is there.
            change.drop(INGESTED)
            change.drop(RAW)
            known, records = {}, 0
        new = {digest: path for digest, path in digests.items() if digest not in known}
        if new and records and mode is None:
            raise RecordsThere(
                f"The warehouse has {records:,} other records.",
                advice="Choose --append to keep them or --replace to drop them.",
            )
        known |= {digest: _load(change, path, digest, progress) for digest, path in new.items()}
    return [
        Ingested(path, known[digest].rows, digest in new, known[digest].warnings)
        for digest, path in digests.items()
    ]


def _known(change: Change) -> dict[str, Loaded]:
    """The digest and the rows of each file whose records are there."""
    if INGESTED not in change.tables():
        return {}
    rows = change.query(f"SELECT Digest, Record_Count FROM {INGESTED}").to_pylist()  # noqa: S608
    return {row["Digest"]: Loaded(row["Record_Count"]) for row in rows}


def _records(change: Change) -> int:
    if RAW not in change.tables():
        return 0
    return int(change.query(f"SELECT count(*) AS n FROM {RAW}")["n"][0].as_py())  # noqa: S608


def _load(change: Change, path: Path, digest: str, progress: Progress) -> Loaded:
    counted = 0

    def watched(file: RecordFile) -> Iterator[pa.RecordBatch]:
        nonlocal counted
        for batch in file.batches:
            counted += batch.num_rows
            progress(path, counted, file.share(counted))
            yield batch

    with files.opened(path) as file:
        try:
            change.append(RAW, file.schema, watched(file), digest)
        except SchemaMismatch as error:
            advice = "Ingest it with --replace, or give the column another name."
            raise BadInput(str(error), file=str(path), advice=advice) from None
    row = [digest, path.name, counted, datetime.now(UTC)]
    record = pa.record_batch([[value] for value in row], schema=INGESTED_SCHEMA)
    change.append(INGESTED, INGESTED_SCHEMA, [record], digest)
    return Loaded(counted, file.delays.warnings(path))
