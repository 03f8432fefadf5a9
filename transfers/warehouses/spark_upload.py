"""Send rows to Spark Connect as parameters of INSERT statements.

The driver has no bulk load, and the server may not see this machine's files. So each statement has
one text: a JSON array with an array of texts for each row, which the statement casts to the types
of the columns. Texts carry every value exactly; JSON numbers would not.
"""

import base64
from collections.abc import Iterable, Iterator

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from . import spark_sql as sql
from .spark_session import Session

# A server accepts messages of 128 MB; a text takes several times its size in memory there.
TEXT_BYTES, ROWS = 8 << 20, 20_000


def statement(table: str, schema: pa.Schema) -> str:
    """Return the INSERT statement, whose parameter is a text of `texts`."""
    values = ", ".join(_value(place, field) for place, field in enumerate(schema))
    rows = "SELECT explode(from_json(?, 'array<array<string>>')) AS r"
    columns = ", ".join(map(sql.name, schema.names))
    return f"INSERT INTO {sql.name(table)} ({columns}) {sql.select(values, f'({rows})')}"


def insert(
    session: Session, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> None:
    """Insert batches into a table."""
    for text in texts(batches):
        session.execute(statement(table, schema), [text])


def texts(batches: Iterable[pa.RecordBatch]) -> Iterator[str]:
    """Yield the rows of batches as JSON."""
    for batch in batches:
        step = max(1, min(ROWS, batch.num_rows * TEXT_BYTES // max(batch.nbytes, 1)))
        for start in range(0, batch.num_rows, step):
            columns = [_texts(column) for column in batch.slice(start, step).columns]
            yield orjson.dumps(list(zip(*columns, strict=True))).decode()


def _value(place: int, field: pa.Field) -> str:
    text = f"r[{place}]"
    if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
        return f"unbase64({text})"
    return f"CAST({text} AS {sql.type_of(field)})"


def _texts(column: pa.Array) -> list[str | None]:
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        values = column.to_pylist()
        return [None if v is None else base64.b64encode(v).decode() for v in values]
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.timestamp("us"))
        column = column.cast(pa.string())
        return list(column.to_pylist())
    return list(pc.cast(column, pa.string()).to_pylist())
