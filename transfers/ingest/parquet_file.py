"""Parquet files of raw flight records, read in bounded memory."""

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
from .compressed import Unpacked
from .parquet_pages import Chunk, RowGroup
from .records import Rows, Source

LONG_ADVICE = "Shorten it, or raise INGEST_LINE_BYTES."


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    with path.open("rb") as file:
        groups = parquet_pages.row_groups(path, file)
        # By page: in front of a network file system Arrow would rather read a whole row group.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as records:
            schema, total = records.schema_arrow, max(records.metadata.num_rows, 1)
            groups = [[_described(chunk, schema) for chunk in group] for group in groups]
            rows = _rows(path, file, groups, records)
            yield Source(schema.names, schema.types, rows, lambda done: min(1.0, done / total))


def _described(chunk: Chunk, schema: pa.Schema) -> Chunk:
    index = schema.get_field_index(chunk.name)
    is_dictionary = index >= 0 and pa.types.is_dictionary(schema.types[index])
    return replace(chunk, is_dictionary=is_dictionary)


def _rows(
    path: Path, file: IO[bytes], groups: list[RowGroup], records: pq.ParquetFile
) -> Iterator[Rows]:
    done, unpacked = 0, Unpacked(path)
    for number, group in enumerate(groups):
        size = parquet_pages.batch_rows(path, file, group, f"row {done + 1}")
        for batch in records.iter_batches(size, row_groups=[number]):
            plain = _written_out(batch)
            _refuse_long_texts(path, plain, _place(done))
            unpacked.add(plain.nbytes)
            yield Rows(plain, _place(done))
            done += batch.num_rows


def _place(before: int) -> Callable[[int], str]:
    return lambda row: f"row {before + row + 1}"


def _written_out(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows without dictionaries, so that each text takes the memory that it has."""
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
    """Bytes of each text; 0 for what is no text."""
    if arrow_types.is_text(column.type) or arrow_types.is_bytes(column.type):
        return pc.binary_length(column.cast(arrow_types.kept(column.type)))
    return pa.array([0])
