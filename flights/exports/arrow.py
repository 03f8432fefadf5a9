"""Write Arrow and Parquet files."""

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from flights import arrow_schema as types
from flights.mirror import Field, may_be_empty

GROUP_ROWS = 100_000  # rows of a Parquet row group, which is held in memory


class Sink(io.RawIOBase):
    """A buffer that a writer fills and `take` empties."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self.written)
        self.written.clear()
        return taken


def batches(rows: Iterator[bytes], fields: list[Field]) -> Iterator[pa.RecordBatch]:
    """Parse PostgreSQL's CSV: an empty field is null, `""` is the empty text."""
    wanted = schema(fields)
    bytea = [i for i, type_ in enumerate(wanted.types) if pa.types.is_binary(type_)]
    read = wanted
    for i in bytea:
        read = read.set(i, wanted.field(i).with_type(pa.string()))
    names = pa.csv.ReadOptions(column_names=[str(i) for i in range(len(fields))], use_threads=False)
    parse = pa.csv.ParseOptions(newlines_in_values=True)
    convert = pa.csv.ConvertOptions(
        column_types={str(i): type_ for i, type_ in enumerate(read.types)},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    for chunk in rows:
        table = pa.csv.read_csv(pa.BufferReader(chunk), names, parse, convert)
        columns = [_bytes(c) if i in bytea else c for i, c in enumerate(table.columns)]
        yield from pa.table(columns, schema=wanted).to_batches()


def schema(fields: list[Field]) -> pa.Schema:
    """The columns of a file with their types."""
    base = types.schema(fields)
    empty = map(may_be_empty, fields)
    return pa.schema([c.with_nullable(may) for c, may in zip(base, empty, strict=True)])


def arrow(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    """The Arrow IPC streaming format, with its end-of-stream mark."""
    sink = Sink()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), schema(fields)) as writer:
        for batch in batches(rows, fields):
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


def parquet(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    """A Parquet file, compressed with zstd."""
    sink = Sink()
    with pq.ParquetWriter(
        pa.PythonFile(sink, mode="w"), schema(fields), compression="zstd"
    ) as file:
        for group in _groups(batches(rows, fields)):
            file.write_table(group)
            yield sink.take()
    yield sink.take()


def _groups(all_batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    for batch in all_batches:
        held.append(batch)
        if sum(map(len, held)) >= GROUP_ROWS:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _bytes(column: pa.ChunkedArray) -> pa.Array:
    r"""Parse bytea values, which PostgreSQL writes as `\x00ff`."""
    read = [None if text is None else bytes.fromhex(text[2:]) for text in column.to_pylist()]
    return pa.array(read, pa.binary())
