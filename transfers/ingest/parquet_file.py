"""Read Parquet files of raw flight records in bounded memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings

from transfers.exceptions import BadInput

from . import arrow_types, parquet_pages
from .compressed import UnpackLimit
from .parquet_pages import Chunk, RowGroup
from .records import Rows, Source

LONG_ADVICE = "Shorten it, or raise INGEST_LINE_BYTES."


@contextmanager
def open_parquet(path: Path) -> Iterator[Source]:
    """Open a Parquet file; BadInput, also while rows are read, if it needs too much memory."""
    with path.open("rb") as file:
        groups = parquet_pages.row_groups(path, file)
        # Read page by page: with pre_buffer, meant for network storage, Arrow reads a row group.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as records:
            schema, total = records.schema_arrow, max(records.metadata.num_rows, 1)
            groups = [[_with_arrow_type(chunk, schema) for chunk in group] for group in groups]
            rows = _rows(path, file, groups, records)
            yield Source(schema.names, schema.types, rows, lambda done: min(1.0, done / total))


def _with_arrow_type(chunk: Chunk, schema: pa.Schema) -> Chunk:
    """Add whether Arrow makes a dictionary of the chunk's column."""
    index = schema.get_field_index(chunk.name)
    is_dictionary = index >= 0 and pa.types.is_dictionary(schema.types[index])
    return replace(chunk, is_dictionary=is_dictionary)


def _rows(
    path: Path, file: IO[bytes], groups: list[RowGroup], records: pq.ParquetFile
) -> Iterator[Rows]:
    done, limit = 0, UnpackLimit(path)
    for number, group in enumerate(groups):
        size = parquet_pages.batch_rows(path, file, group, f"row {done + 1}")
        for batch in records.iter_batches(size, row_groups=[number]):
            plain = _decode_dictionaries(batch)
            _refuse_long_texts(path, plain, _place(done))
            limit.add(plain.nbytes)
            yield Rows(plain, _place(done))
            done += batch.num_rows


def _place(before: int) -> Callable[[int], str]:
    return lambda row: f"row {before + row + 1}"


def _decode_dictionaries(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Replace dictionaries by their values, so that `nbytes` counts each text."""
    columns = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _refuse_long_texts(path: Path, batch: pa.RecordBatch, place: Callable[[int], str]) -> None:
    limit = settings.INGEST_LINE_BYTES
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        row = pc.index(pc.greater(_lengths(column), limit), True).as_py()
        if row >= 0:
            raise BadInput(
                f"the value is longer than {limit:,} bytes.",
                file=str(path),
                place=place(row),
                column=name,
                advice=LONG_ADVICE,
            )


def _lengths(column: pa.Array) -> pa.Array:
    """Return the bytes of each value of text or bytes; a single 0 for other types."""
    if arrow_types.is_text(column.type) or arrow_types.is_bytes(column.type):
        return pc.binary_length(column.cast(arrow_types.stored_type(column.type)))
    return pa.array([0])
