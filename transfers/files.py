"""Files of raw flight records, read in batches: a file of any size takes the same memory."""

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from . import csvfile
from .exceptions import BadInput
from .records import BadColumns, BadValue, Layout, RecordFile

KINDS = {".csv": csvfile.opened, ".gz": csvfile.opened, ".zip": csvfile.opened}
UNREADABLE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError)
BATCH_ROWS = 65_536


@contextmanager
def opened(path: Path) -> Iterator[RecordFile]:
    """BadInput where the file or a record in it breaks a rule, also while batches are read."""
    kinds = {**KINDS, ".parquet": _parquet}
    if path.suffix.lower() not in kinds:
        advice = f"Give a file whose name ends in {', '.join(kinds)}."
        raise BadInput("neither CSV nor Parquet.", file=str(path), advice=advice)
    with _readable(path), kinds[path.suffix.lower()](path) as file:
        yield replace(file, batches=_some(path, file.batches))


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


@contextmanager
def _parquet(path: Path) -> Iterator[RecordFile]:
    with pq.ParquetFile(path) as file:
        layout, total = Layout.of(file.schema_arrow.names), file.metadata.num_rows
        schema = layout.schema(file.schema_arrow.types)
        batches = _parquet_batches(path, file, layout, schema)
        yield RecordFile(schema, batches, lambda rows: rows / total)


def _parquet_batches(
    path: Path, file: pq.ParquetFile, layout: Layout, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    done = 0
    for batch in file.iter_batches(BATCH_ROWS):
        try:
            yield layout.typed(batch, schema)
        except BadValue as error:
            raise error.at(path, f"row {done + error.row + 1}") from None
        done += batch.num_rows


def _some(path: Path, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        yield batch
    if not rows:
        raise BadInput("no records.", file=str(path))
