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
from .bad_values import BadValue
from .compressed import UnpackLimit
from .delays import DelayCheck
from .inputs import Part
from .layout import BadColumns, Layout
from .names import Lists, Namer
from .records import Converter
from .sources import Rows, Shape, Source

type Stamp = tuple[int, int, int]

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
    warnings: Callable[[], tuple[str, ...]]  # of the batches read so far


@contextmanager
def open_records(
    part: Part, layout: Layout, lists: Lists, limit: UnpackLimit
) -> Iterator[RecordFile]:
    """Open a CSV or Parquet file of raw flight records, whose columns are those of the layout.

    BadInput if the file or one of its records breaks a rule, also while the batches are read.
    """
    with open_source(part, limit) as source:
        namer, delays, name = Namer(lists), DelayCheck(), part.name
        if layout.header_line and not layout.is_of(source.lines[layout.header_line - 1]):
            raise BadInput("its columns changed after it was checked.", file=str(part))
        converter = Converter(layout, source.types, namer)

        def warnings() -> tuple[str, ...]:
            return (*source.warnings(), *delays.warnings(name), *namer.warnings(name))

        batches = _batches(part, source, converter, delays)
        yield RecordFile(converter.schema, batches, source.share, warnings)


@contextmanager
def open_source(part: Part, limit: UnpackLimit) -> Iterator[Source]:
    """Open a CSV or Parquet file of any columns; BadInput if it cannot be read."""
    is_parquet = part.path.suffix.lower() == ".parquet"
    opened = parquet_file.open_parquet if is_parquet else csv_file.open_csv
    with readable(str(part)), opened(part, limit) as source:
        yield source


def stamp(path: Path) -> Stamp:
    """Return a stamp of a file, which changes if a program writes to the file or replaces it."""
    with readable(str(path)):
        status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def check_unchanged(path: Path, before: Stamp) -> None:
    """Raise BadInput if a file has changed since `before`: its SHA-256 may not fit the records."""
    if stamp(path) != before:
        advice = "Ingest it when no program writes to it any more."
        raise BadInput("it changed while it was read.", file=str(path), advice=advice)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; BadInput if the file cannot be read."""
    with readable(str(path)), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def readable(file: str) -> Iterator[None]:
    """Convert BadColumns, and errors of missing or damaged files, to BadInput."""
    try:
        yield
    except BadColumns as error:
        raise BadInput(str(error), file=file, place=error.place, advice=error.advice) from None
    except (*UNREADABLE, pa.ArrowException) as error:
        why = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise BadInput(f"cannot be read: {why.rstrip('.')}.", file=file) from error


def _batches(
    part: Part, source: Source, converter: Converter, delays: DelayCheck
) -> Iterator[pa.RecordBatch]:
    count = 0
    for rows in _read(part, source, converter.layout):
        try:
            batch = converter.convert(rows.batch)
        except BadValue as error:
            raise BadInput(
                str(error),
                file=str(part),
                place=rows.place(error.row),
                column=error.column,
                advice=error.advice,
            ) from None
        delays.check(batch, rows.place)
        count += batch.num_rows
        yield batch
    if not count:
        raise BadInput("no records.", file=str(part))


def _read(part: Part, source: Source, layout: Layout) -> Iterator[Rows]:
    """Yield the batches that have rows. Only errors of reading them become BadInput."""
    end = layout.mapping.end_of_rows
    shape = Shape(len(layout.headers), layout.read, layout.header_line, end)
    with readable(str(part)):
        yield from (rows for rows in source.read(shape) if rows.batch.num_rows)
