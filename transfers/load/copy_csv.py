"""Write batches of rows as CSV for PostgreSQL's COPY; refuse values that it cannot store.

Format: https://www.postgresql.org/docs/current/sql-copy.html
"""

import io
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from transfers.exceptions import Unstorable

from .value_counts import ValueCounts

# With Arrow's default of 1,024 rows at a time, it takes a tenth more CPU.
OPTIONS = pyarrow.csv.WriteOptions(include_header=False, batch_size=16_384)
# Size of the batches that are encoded ahead. PostgreSQL would wait for a large one after a small.
AHEAD_BYTES = 8 << 20


class Encoding(NamedTuple):
    """A batch that a thread encodes."""

    rows: int
    size: int  # bytes of the batch
    csv: Future[bytes]

    def result(self) -> tuple[int, bytes]:
        return self.rows, self.csv.result()


def encode(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    before: int,
    table: str,
    counts: ValueCounts,
) -> Iterator[tuple[int, bytes]]:
    """Yield the number of rows and the CSV of each batch.

    Rows are numbered from `before` + 1. While PostgreSQL reads one batch, a thread encodes the
    next ones and adds them to `counts`. Unstorable names the row and column of a value that
    PostgreSQL or the model refuses.
    """
    with ThreadPoolExecutor(1) as writer:
        pending: deque[Encoding] = deque()
        for batch in batches:
            if not batch.num_rows:  # pyarrow's CSV writer emits garbage for an empty batch
                continue
            csv = writer.submit(_csv, batch, schema, before, table, counts)
            pending.append(Encoding(batch.num_rows, batch.nbytes, csv))
            before += batch.num_rows
            while len(pending) > 1 and sum(each.size for each in pending) > AHEAD_BYTES:
                yield pending.popleft().result()
        for encoding in pending:
            yield encoding.result()


def _csv(
    batch: pa.RecordBatch, schema: pa.Schema, before: int, table: str, counts: ValueCounts
) -> bytes:
    """Encode a batch with row numbers in front; an empty text is "", a null is an empty field."""
    _refuse_nulls(batch, schema, before, table)
    _refuse_distant_times(batch, schema, before, table)
    numbers = pc.add(pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), len(batch))), before)
    cast = [
        _printable(values.cast(f.type)) for values, f in zip(batch.columns, schema, strict=True)
    ]
    out = io.BytesIO()
    rows = pa.Table.from_arrays([numbers, *cast], names=["id", *schema.names])
    pyarrow.csv.write_csv(rows, out, OPTIONS)
    csv = out.getvalue()
    if b"\0" in csv:  # one search is faster than one for each column
        raise _nul_error(rows, table)
    counts.add(rows)
    return csv


def _refuse_nulls(batch: pa.RecordBatch, schema: pa.Schema, before: int, table: str) -> None:
    for values, field in zip(batch.columns, schema, strict=True):
        if values.null_count and not field.nullable:
            row = before + pc.index(values.is_null(), True).as_py() + 1
            raise Unstorable(
                f"{table}: column {field.name} of row {row}, in the declared order, is null,"
                " which the model does not allow.",
                advice="Give the model's field null=True, or correct the broker's SQL.",
            )


def _refuse_distant_times(
    batch: pa.RecordBatch, schema: pa.Schema, before: int, table: str
) -> None:
    """Refuse infinite dates and times, and those that Python cannot represent.

    PostgreSQL would store many of them, but COPY reads some as other times.
    """
    for values, field in zip(batch.columns, schema, strict=True):
        row = _distant(values)
        if row >= 0:
            raise Unstorable(
                f"{table}: column {field.name} of row {before + row + 1}, in the declared order,"
                " is not in the years 1 to 9999.",
                advice="Make it null, or another date, in the broker's SQL.",
            )


def _distant(values: pa.Array) -> int:
    """Return the index of the first date or time that Python does not have, or -1."""
    if pa.types.is_date(values.type):
        first, last = pa.scalar(date.min), pa.scalar(date.max)
    elif pa.types.is_timestamp(values.type):
        first, last = (pa.scalar(time, pa.timestamp("us")) for time in (datetime.min, datetime.max))
        first, last = first.cast(values.type), last.cast(values.type)
    else:
        return -1
    outside = pc.or_(pc.less(values, first), pc.greater(values, last))
    return int(pc.index(outside, True).as_py())


def _printable(values: pa.Array) -> pa.Array:
    """Write bytes as PostgreSQL's hex format, since pyarrow's CSV writer cannot write them."""
    if not pa.types.is_binary(values.type):
        return values
    texts = (None if value is None else rf"\x{value.hex()}" for value in values.to_pylist())
    return pa.array(texts, pa.string())


def _nul_error(rows: pa.Table, table: str) -> Unstorable:
    """Return the error for the first text with a NUL character."""
    places = {
        name: pc.index(pc.match_substring(rows[name], "\0"), True).as_py()
        for name in rows.column_names
        if pa.types.is_string(rows[name].type)
    }
    row, name = min((row, name) for name, row in places.items() if row >= 0)
    number = rows["id"][row].as_py()
    return Unstorable(
        f"{table}: column {name} of row {number}, in the declared order, contains a NUL character.",
        advice="PostgreSQL cannot store this character: remove it in the broker's SQL.",
    )
