"""Convert the CSV that PostgreSQL sends to Arrow and Parquet files."""

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from flights import arrow_schema as types
from flights.mirror import Field, may_be_empty

GROUP_ROWS = 100_000  # rows of a Parquet row group; the writer holds one in memory


class Sink(io.RawIOBase):
    """A writable file in memory; `take` returns the bytes written since the last call."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.buffer += data
        return len(data)

    def take(self) -> bytes:
        data = bytes(self.buffer)
        self.buffer.clear()
        return data


def batches(rows: Iterator[bytes], fields: list[Field]) -> Iterator[pa.RecordBatch]:
    """Parse PostgreSQL's CSV to record batches with the types of `schema`.

    `rows` are chunks of whole lines without a header. An empty field is null; `""` is an empty
    text.
    """
    target = schema(fields)
    binary = [i for i, type_ in enumerate(target.types) if pa.types.is_binary(type_)]
    csv_types = [pa.string() if i in binary else type_ for i, type_ in enumerate(target.types)]
    names = [str(i) for i in range(len(fields))]
    # A row of one null is an empty line.
    parse = pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    convert = pa.csv.ConvertOptions(
        column_types={str(i): type_ for i, type_ in enumerate(csv_types)},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    for chunk in rows:
        # In one block: no row may be longer than a block.
        read = pa.csv.ReadOptions(column_names=names, use_threads=False, block_size=len(chunk))
        table = pa.csv.read_csv(pa.BufferReader(chunk), read, parse, convert)
        columns = [_parse_bytea(c) if i in binary else c for i, c in enumerate(table.columns)]
        yield from pa.table(columns, schema=target).to_batches()


def schema(fields: list[Field]) -> pa.Schema:
    """The Arrow schema of a file; a column is nullable if a query may read null from it."""
    base = types.schema(fields)
    nullable = map(may_be_empty, fields)
    return pa.schema([c.with_nullable(null) for c, null in zip(base, nullable, strict=True)])


def ipc_stream(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    """Convert chunks of CSV to an Arrow IPC stream, which ends with the end-of-stream mark."""
    sink = Sink()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), schema(fields)) as writer:
        for batch in batches(rows, fields):
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


def parquet(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    """Convert chunks of CSV to a Parquet file, compressed with zstd."""
    sink = Sink()
    with pq.ParquetWriter(
        pa.PythonFile(sink, mode="w"), schema(fields), compression="zstd"
    ) as file:
        for group in _groups(batches(rows, fields)):
            file.write_table(group)
            yield sink.take()
    yield sink.take()


def _groups(all_batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Join batches to row groups of at least `GROUP_ROWS` rows; the last can be smaller."""
    group: list[pa.RecordBatch] = []
    for batch in all_batches:
        group.append(batch)
        if sum(map(len, group)) >= GROUP_ROWS:
            yield pa.Table.from_batches(group)
            group = []
    if group:
        yield pa.Table.from_batches(group)


def _parse_bytea(column: pa.ChunkedArray) -> pa.Array:
    r"""Convert bytea values to bytes; PostgreSQL writes them as text like `\x00ff`."""
    values = [None if text is None else bytes.fromhex(text[2:]) for text in column.to_pylist()]
    return pa.array(values, pa.binary())
