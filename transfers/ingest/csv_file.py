"""Read CSV files of raw flight records: plain, .gz or .zip."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
from django.conf import settings

from transfers.exceptions import BadInput

from . import compressed, csv_lines
from .csv_lines import UTF8_ADVICE, Block
from .records import Rows, Source

VALUES_ADVICE = "Check commas and quotes."


@contextmanager
def open_csv(path: Path) -> Iterator[Source]:
    """Open a CSV file (RFC 4180) whose first line names the columns; all columns are text.

    BadInput, also while the rows are read, if the file breaks a rule of CSV.
    """
    size = path.stat().st_size
    with path.open("rb") as file, compressed.open_content(path, file) as content:
        blocks = csv_lines.blocks(path, compressed.chunks(path, content))
        first = next(blocks, Block(b"", 1))
        names, rest = _header(path, first)
        rows = _rows(path, len(names), itertools.chain([rest], blocks))
        yield Source(names, [pa.string()] * len(names), rows, lambda _: file.tell() / size)


def _header(path: Path, first: Block) -> tuple[list[str], Block]:
    """Return the names of the columns, and the rest of the block after the header."""
    if not first.content.strip(b"\r\n"):
        raise BadInput("the file is empty.", file=str(path))
    line, *others = first.content.splitlines(keepends=True)
    if not line.strip(b"\r\n"):
        raise BadInput("no column names.", file=str(path), place="line 1")
    if b"\0" in line:
        raise BadInput("not UTF-8.", file=str(path), place="line 1", advice=UTF8_ADVICE)
    names = [name[0].as_py() or "" for name in _batch(line, csv_lines.values(line)).columns]
    return names, Block(b"".join(others), 2)


def _rows(path: Path, columns: int, blocks: Iterator[Block]) -> Iterator[Rows]:
    """Parse each block; yield the rows before the first line of another length, then BadInput."""
    for block in blocks:
        try:
            batch = _batch(block.content, columns)
        except pa.ArrowInvalid:
            offset, values = _wrong_length(block.content, columns)
            before, place = block.cut(offset)
            yield Rows(_batch(before.content, columns), before.place)
            problem = f"{values} values, but the header names {columns} columns."
            raise BadInput(problem, file=str(path), place=place, advice=VALUES_ADVICE) from None
        yield Rows(batch, block.place)


def _batch(content: bytes, columns: int) -> pa.RecordBatch:
    """Parse lines that `csv_lines` has checked; every column is text, named by its index."""
    names = [str(index) for index in range(columns)]
    if not content or (content.isspace() and not content.strip(b"\r\n")):
        return pa.RecordBatch.from_arrays([pa.array([], pa.string())] * columns, names)
    table = pyarrow.csv.read_csv(
        pa.BufferReader(content),
        pyarrow.csv.ReadOptions(column_names=names, block_size=_parse_bytes()),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,  # "" is an empty text; only an unquoted value is null
        ),
    )
    (batch,) = table.combine_chunks().to_batches()
    return batch


def _parse_bytes() -> int:
    """Return how many bytes one thread parses: more than the longest allowed line."""
    return max(1 << 20, settings.INGEST_LINE_BYTES + 2)


def _wrong_length(content: bytes, columns: int) -> tuple[int, int]:
    """Find the first line without `columns` values: its offset, and how many values it has."""
    offset = 0
    for line in content.splitlines(keepends=True):
        values = csv_lines.values(line)
        if line.strip(b"\r\n") and values != columns:
            return offset, values
        offset += len(line)
    raise AssertionError("Arrow reported a line of another length")
