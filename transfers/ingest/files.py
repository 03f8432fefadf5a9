"""Files of raw flight records, read in batches: a file of any size takes the same memory."""

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
from .delays import Delays
from .records import BadColumns, BadValue, Layout, Rows, Source

KINDS = {
    ".csv": csv_file.opened,
    ".gz": csv_file.opened,
    ".zip": csv_file.opened,
    ".parquet": parquet_file.opened,
}
# What the readers raise of damaged files.
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

    schema: pa.Schema  # the raw table's
    batches: Iterator[pa.RecordBatch]  # of that schema; BadInput for what breaks a rule
    share: Callable[[int], float]  # how much of the file (0 to 1) so many rows are
    delays: Delays  # of the batches that were read


@contextmanager
def opened(path: Path) -> Iterator[RecordFile]:
    """BadInput where the file or a record in it breaks a rule, also while batches are read."""
    if path.suffix.lower() not in KINDS:
        advice = f"Give a file whose name ends in {', '.join(KINDS)}."
        raise BadInput("neither CSV nor Parquet.", file=str(path), advice=advice)
    with _readable(path), KINDS[path.suffix.lower()](path) as source:
        layout, delays = Layout.of(source.names), Delays()
        schema = layout.schema(source.types)
        batches = _batches(path, source, layout, schema, delays)
        yield RecordFile(schema, batches, source.share, delays)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with _readable(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except BadColumns as error:
        raise BadInput(str(error), file=str(path), advice=error.advice) from None
    except (*UNREADABLE, pa.ArrowException) as error:
        why = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise BadInput(f"cannot be read: {why.rstrip('.')}.", file=str(path)) from error


def _batches(
    path: Path, source: Source, layout: Layout, schema: pa.Schema, delays: Delays
) -> Iterator[pa.RecordBatch]:
    count = 0
    for rows in _read(path, source):
        try:
            batch = layout.typed(rows.batch, schema)
        except BadValue as error:
            raise error.at(path, rows.place(error.row)) from None
        delays.look(batch, rows.place)
        count += batch.num_rows
        yield batch
    if not count:
        raise BadInput("no records.", file=str(path))


def _read(path: Path, source: Source) -> Iterator[Rows]:
    """The rows; what goes wrong while they are used is not the file's."""
    with _readable(path):
        yield from (rows for rows in source.rows if rows.batch.num_rows)
