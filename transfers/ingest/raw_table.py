"""Write raw flight records from files to the warehouse: all files of one call, or none."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pyarrow as pa

from transfers.exceptions import BadInput, RecordsThere, SchemaMismatch
from transfers.warehouses import Change, Warehouse

from . import files, plan
from .compressed import UnpackLimit
from .files import RecordFile
from .inputs import Part
from .plan import Plan

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

TYPES_ADVICE = "Use --replace, or rename the column."

type Mode = Literal["append", "replace", "months"]
type Progress = Callable[[Path, int, float], None]  # file, rows read, share read from 0 to 1


@dataclass(frozen=True)
class Ingested:
    """The result for one file; `new` is False if an earlier call had ingested its content."""

    path: Path
    rows: int
    new: bool
    warnings: tuple[str, ...] = ()  # of implausible values in added records


@dataclass(frozen=True)
class Loaded:
    """The records of one file in the raw table."""

    rows: int
    warnings: tuple[str, ...] = ()


def ingest(
    warehouse: Warehouse,
    paths: Sequence[Path] | Plan,
    mode: Mode | None = None,
    progress: Progress = lambda path, rows, share: None,
) -> list[Ingested]:
    """Add the records of files to the raw table ("append"), or replace its records by them.

    `paths` are files and folders, or the plan of how to read them. Skip files whose content the
    table already has. Without a mode the table must have no records from other files; RecordsThere
    otherwise. BadInput if a file breaks a rule, WarehouseError if the warehouse fails; nothing is
    changed then.
    """
    planned = paths if isinstance(paths, Plan) else plan.read(paths)
    digests: dict[str, Path] = {}
    for path in planned.files:
        digests.setdefault(files.digest(path), path)
    with warehouse.change() as change:
        existing, records = _existing(change), _count(change)
        if mode == "replace" and records and existing.keys() != digests.keys():
            # In this order: after a kill in between, no file counts as already ingested.
            change.drop(INGESTED)
            change.drop(RAW)
            existing, records = {}, 0
        new = {digest: path for digest, path in digests.items() if digest not in existing}
        if new and records and mode is None:
            raise RecordsThere(
                f"The warehouse has {records:,} other records.",
                advice="Use --append to keep them or --replace to delete them.",
            )
        existing |= {
            digest: _load(change, planned, path, digest, progress) for digest, path in new.items()
        }
    return [
        Ingested(path, existing[digest].rows, digest in new, existing[digest].warnings)
        for digest, path in digests.items()
    ]


def _existing(change: Change) -> dict[str, Loaded]:
    """Return the files whose records are in the warehouse, by their SHA-256."""
    if INGESTED not in change.tables():
        return {}
    rows = change.query(f"SELECT Digest, Record_Count FROM {INGESTED}").to_pylist()  # noqa: S608
    return {row["Digest"]: Loaded(row["Record_Count"]) for row in rows}


def _count(change: Change) -> int:
    if RAW not in change.tables():
        return 0
    return int(change.query(f"SELECT count(*) AS n FROM {RAW}")["n"][0].as_py())  # noqa: S608


def _load(change: Change, planned: Plan, path: Path, digest: str, progress: Progress) -> Loaded:
    """Append the records of a file, then its entry among the ingested files."""
    limit, rows, warnings = UnpackLimit(path), 0, list[str]()
    for number, (part, layout) in enumerate(planned.files[path].items()):
        key = f"{digest}x{number}" if number else digest

        def read(count: int, share: float, before: int = rows) -> None:
            progress(path, before + count, share)

        with files.open_records(part, layout, planned.lists, limit) as file:
            rows += _append(change, part, file, key, read)
            warnings += file.warnings()
    entry = [digest, path.name, rows, datetime.now(UTC)]
    record = pa.record_batch([[value] for value in entry], schema=INGESTED_SCHEMA)
    change.append(INGESTED, INGESTED_SCHEMA, [record], digest)
    return Loaded(rows, tuple(warnings))


def _append(
    change: Change, part: Part, file: RecordFile, key: str, read: Callable[[int, float], None]
) -> int:
    """Append the records of one part to the raw table; return their number."""
    rows = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal rows
        for batch in file.batches:
            rows += batch.num_rows
            read(rows, file.share(rows))
            yield batch

    try:
        change.append(RAW, file.schema, counted(), key)
    except SchemaMismatch as error:
        raise BadInput(str(error), file=str(part), advice=TYPES_ADVICE) from None
    return rows
