"""Read Parquet files of raw flight records in bounded memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings

from transfers.exceptions import BadInput

from . import arrow_types, parquet_pages
from .compressed import UnpackLimit
from .inputs import Part
from .parquet_pages import Chunk, RowGroup
from .sources import Rows, Shape, Source

LONG_ADVICE = "Shorten it, or raise INGEST_LINE_BYTES."


@contextmanager
def open_parquet(part: Part, limit: UnpackLimit) -> Iterator[Source]:
    """Open a Parquet file; BadInput, also while rows are read, if it needs too much memory."""
    with part.path.open("rb") as file:
        groups = parquet_pages.row_groups(part.path, file)
        # Read page by page: with pre_buffer, meant for network storage, Arrow reads a row group.
        with pq.ParquetFile(part.path, pre_buffer=False, buffer_size=1 << 20) as records:
            schema, total = records.schema_arrow, max(records.metadata.num_rows, 1)
            groups = [[_with_arrow_type(chunk, schema) for chunk in group] for group in groups]
            reader = _Reader(part, file, groups, records, limit)
            yield Source(
                lines=[schema.names],
                types=schema.types,
                read=reader.rows,
                share=lambda done: min(1.0, done / total),
                warnings=lambda: (),
            )


def _with_arrow_type(chunk: Chunk, schema: pa.Schema) -> Chunk:
    """Add whether Arrow makes a dictionary of the chunk's column."""
    index = schema.get_field_index(chunk.name)
    is_dictionary = index >= 0 and pa.types.is_dictionary(schema.types[index])
    return replace(chunk, is_dictionary=is_dictionary)


@dataclass(frozen=True)
class _Reader:
    part: Part
    file: IO[bytes]
    groups: list[RowGroup]
    records: pq.ParquetFile
    limit: UnpackLimit

    def rows(self, shape: Shape) -> Iterator[Rows]:
        """Read the columns of the shape of each row group."""
        every, done = self.records.schema_arrow.names, 0
        names = [every[index] for index in shape.columns]
        for number, group in enumerate(self.groups):
            chunks = [chunk for chunk in group if chunk.name.partition(".")[0] in names]
            path, place = self.part.path, f"row {done + 1}"
            size = parquet_pages.batch_rows(path, self.file, chunks, place)
            # Arrow reads a column that is named twice only once, so all columns are read then.
            columns = names if len({*every}) == len(every) else None
            for batch in self.records.iter_batches(size, row_groups=[number], columns=columns):
                plain = _decode_dictionaries(batch)
                plain = plain if columns else plain.select(list(shape.columns))
                _refuse_long_texts(path, plain, _place(done))
                self.limit.add(plain.nbytes)
                yield Rows(plain.select(names) if columns else plain, _place(done))
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
