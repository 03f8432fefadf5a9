"""Read CSV files of raw flight records: plain, .gz or .zip."""

import csv
import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.csv
from django.conf import settings

from transfers.exceptions import BadInput

from . import compressed, csv_lines
from .compressed import UnpackLimit
from .csv_lines import Block
from .encoding import ADVICE, Encoding
from .inputs import Part
from .sources import Rows, Shape, Source

VALUES_ADVICE = "Check commas and quotes."
FIRST_LINES = 40  # lines that may have the header, and by which a form is recognized


@contextmanager
def open_csv(part: Part, limit: UnpackLimit) -> Iterator[Source]:
    """Open a CSV file (RFC 4180); all columns are text.

    BadInput, also while the rows are read, if the file breaks a rule of CSV.
    """
    size, name, encoding = part.path.stat().st_size, str(part), Encoding()
    with part.path.open("rb") as file, compressed.open_content(part, file) as content:
        chunks = compressed.chunks(content, limit)
        blocks = csv_lines.blocks(name, chunks, encoding)
        first = next(blocks, Block(b"", 1))
        yield Source(
            lines=_first_lines(name, first),
            types=(),
            read=lambda shape: _rows(name, shape, itertools.chain([first], blocks)),
            share=lambda _: file.tell() / size,
            warnings=lambda: encoding.warnings(part.name),
        )


def _first_lines(file: str, first: Block) -> list[list[str]]:
    """Return the values of the first lines, of which at least one is not empty."""
    if not first.content.strip(b"\r\n"):
        raise BadInput("the file is empty.", file=file)
    lines = first.content.splitlines()[:FIRST_LINES]
    if b"\0" in lines[0]:
        raise BadInput("not UTF-8.", file=file, place="line 1", advice=ADVICE)
    csv.field_size_limit(max(csv.field_size_limit(), settings.INGEST_LINE_BYTES))
    return [next(csv.reader([line.decode()]), []) for line in lines]


def _rows(file: str, shape: Shape, blocks: Iterator[Block]) -> Iterator[Rows]:
    """Parse each block; yield the rows before the first line of another length, then BadInput."""
    for block in blocks:
        if block.first_line == 1:
            block = block.after(shape.header_line)
        try:
            batch = _batch(block.content, shape)
        except pa.ArrowInvalid:
            offset, values = _wrong_length(block.content, shape.width)
            before, place = block.cut(offset)
            yield Rows(_batch(before.content, shape), before.place)
            if shape.end_of_rows and _ends(block.content[offset:], shape.end_of_rows, blocks):
                return
            problem = f"{values} values, but the header names {shape.width} columns."
            raise BadInput(problem, file=file, place=place, advice=VALUES_ADVICE) from None
        yield Rows(batch, block.place)


def _ends(rest: bytes, end: str, blocks: Iterator[Block]) -> bool:
    """Whether the rest of a file is one line that begins with `end`, and perhaps empty lines."""
    line, _, after = rest.decode().strip().partition("\n")
    return line.startswith(end) and not after and next(blocks, None) is None


def _batch(content: bytes, shape: Shape) -> pa.RecordBatch:
    """Parse lines that `csv_lines` has checked; every column is text, named by its index."""
    names = [str(index) for index in range(shape.width)]
    read = [str(index) for index in shape.columns]
    if not content or (content.isspace() and not content.strip(b"\r\n")):
        return pa.RecordBatch.from_arrays([pa.array([], pa.string())] * len(read), read)
    table = pyarrow.csv.read_csv(
        pa.BufferReader(content),
        pyarrow.csv.ReadOptions(column_names=names, block_size=_parse_bytes()),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(read, pa.string()),
            include_columns=read,
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
