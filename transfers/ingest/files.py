"""Read files of raw flight records in batches, so that memory does not grow with the file."""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from transfers.exceptions import BadInput

from . import csv_file, parquet_file
from .delays import DelayCheck
from .records import BadColumns, BadValue, Layout, Rows, Source

KINDS = {
    ".csv": csv_file.open_csv,
    ".gz": csv_file.open_csv,
    ".zip": csv_file.open_csv,
    ".parquet": parquet_file.open_parquet,
}
# What gzip, zipfile and the operating system raise for damaged or missing files.
UNREADABLE = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    NotImplementedError,
    UnicodeDecodeError,
)


@dataclass(frozen=True)
class RecordFile:
    """An open file of records."""

    schema: pa.Schema  # the raw table's columns for this file
    batches: Iterator[pa.RecordBatch]  # of that schema; raises BadInput at a bad record
    share: Callable[[int], float]  # from rows read to the share of the file read, 0 to 1
    delays: DelayCheck  # of the batches read so far


@contextmanager
def open_records(path: Path) -> Iterator[RecordFile]:
    """Open a CSV or Parquet file of raw flight records.

    BadInput if the file or one of its records breaks a rule, also while the batches are read.
    """
    if path.suffix.lower() not in KINDS:
        advice = f"Use a file whose name ends in {', '.join(KINDS)}."
        raise BadInput("neither CSV nor Parquet.", file=str(path), advice=advice)
    with _readable(path), KINDS[path.suffix.lower()](path) as source:
        layout, delays = Layout.of(source.names), DelayCheck()
        schema = layout.schema(source.types)
        batches = _batches(path, source, layout, schema, delays)
        yield RecordFile(schema, batches, source.share, delays)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; BadInput if the file cannot be read."""
    with _readable(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Report what is wrong with the file's columns or bytes as BadInput."""
    try:
        yield
    except BadColumns as error:
        raise BadInput(str(error), file=str(path), advice=error.advice) from None
    except (*UNREADABLE, pa.ArrowException) as error:
        why = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise BadInput(f"cannot be read: {why.rstrip('.')}.", file=str(path)) from error


def _batches(
    path: Path, source: Source, layout: Layout, schema: pa.Schema, delays: DelayCheck
) -> Iterator[pa.RecordBatch]:
    count = 0
    for rows in _read(path, source):
        try:
            batch = layout.convert(rows.batch, schema)
        except BadValue as error:
            raise error.at(path, rows.place(error.row)) from None
        delays.check(batch, rows.place)
        count += batch.num_rows
        yield batch
    if not count:
        raise BadInput("no records.", file=str(path))


def _read(path: Path, source: Source) -> Iterator[Rows]:
    """Yield the rows that are not empty. Only errors of reading them are blamed on the file."""
    with _readable(path):
        yield from (rows for rows in source.rows if rows.batch.num_rows)
