"""Batches of rows as the CSV that PostgreSQL's COPY reads; what it could not store is refused."""

import io
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from transfers.exceptions import Unstorable


def ahead(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, before: int, table: str
) -> Iterator[tuple[int, bytes]]:
    """Rows and CSV of each batch; the next is written while PostgreSQL takes the one before."""
    with ThreadPoolExecutor(1) as writer:
        made: deque[tuple[int, Future[bytes]]] = deque()
        for batch in batches:
            if not batch.num_rows:  # which makes pyarrow's CSV writer emit garbage
                continue
            made.append((batch.num_rows, writer.submit(_lines, batch, schema, before, table)))
            before += batch.num_rows
            if len(made) > 1:
                rows, lines = made.popleft()
                yield rows, lines.result()
        for rows, lines in made:
            yield rows, lines.result()


def _lines(batch: pa.RecordBatch, schema: pa.Schema, before: int, table: str) -> bytes:
    """CSV of a batch, the rows numbered from `before`; an empty text is "" and a null is bare."""
    _refuse_nulls(batch, schema, before, table)
    numbers = pc.add(pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), len(batch))), before)
    cast = [_written(values.cast(f.type)) for values, f in zip(batch.columns, schema, strict=True)]
    out = io.BytesIO()
    rows = pa.Table.from_arrays([numbers, *cast], names=["id", *schema.names])
    pyarrow.csv.write_csv(rows, out, pyarrow.csv.WriteOptions(include_header=False))
    lines = out.getvalue()
    if b"\0" in lines:  # to look into each column would take longer
        raise _nul(rows, table)
    return lines


def _refuse_nulls(batch: pa.RecordBatch, schema: pa.Schema, before: int, table: str) -> None:
    for values, field in zip(batch.columns, schema, strict=True):
        if values.null_count and not field.nullable:
            row = before + pc.index(values.is_null(), True).as_py() + 1
            raise Unstorable(
                f"{table}: column {field.name} of row {row}, in the declared order, has no value,"
                " which its model does not allow.",
                advice="Give the model's field null=True, or correct the broker's SQL.",
            )


def _written(values: pa.Array) -> pa.Array:
    """What pyarrow's CSV writer can write and PostgreSQL reads."""
    if not pa.types.is_binary(values.type):
        return values
    texts = (None if value is None else rf"\x{value.hex()}" for value in values.to_pylist())
    return pa.array(texts, pa.string())


def _nul(rows: pa.Table, table: str) -> Unstorable:
    """What is wrong with the first text that holds a NUL character."""
    places = {
        name: pc.index(pc.match_substring(rows[name], "\0"), True).as_py()
        for name in rows.column_names
        if pa.types.is_string(rows[name].type)
    }
    row, name = min((row, name) for name, row in places.items() if row >= 0)
    number = rows["id"][row].as_py()
    return Unstorable(
        f"{table}: column {name} of row {number}, in the declared order, holds a NUL character.",
        advice="PostgreSQL cannot store it: remove it in the broker's SQL.",
    )
