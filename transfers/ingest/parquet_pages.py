"""Read the headers of a Parquet file's pages, to refuse the file before Arrow runs out of memory.

Arrow decompresses a page in one piece, and a page of a few kB can become gigabytes. The sizes in
the file's footer may be false; Arrow allocates the size in the header of each page.

This module reads the headers itself because pyarrow does not expose them, and because pyarrow
crashes the process on the columns of some damaged footers.

Format: https://parquet.apache.org/docs/file-format/ and its structures, parquet.thrift.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
from django.conf import settings
from thrift.Thrift import TType

from transfers.exceptions import BadInput

from . import thrift_reader
from .thrift_reader import Fields

BATCH_ROWS = 65_536
BATCH_BYTES = 16 << 20  # of text in one batch, at most
FOOTER = 16 << 20  # the most bytes of a footer; 100 columns in 500 row groups need 10 MB
BYTE_ARRAY, DELTA_BYTE_ARRAY = 6, 7  # of parquet.thrift's Type and of its Encoding
CODECS = {0: "", 1: "snappy", 2: "gzip", 4: "brotli", 6: "zstd", 7: "lz4_raw"}
PAGES_ADVICE = "Write it with smaller pages, or raise INGEST_PAGES_MIB."
# Each value stores only what differs from the previous one: 1 MB can become gigabytes of text.
DELTA_ADVICE = "Write text with a dictionary or with the encoding PLAIN."
CODEC_ADVICE = "Compress it with SNAPPY, GZIP, BROTLI, ZSTD or LZ4_RAW."

# The fields to read, by their ids in parquet.thrift.
# ColumnMetaData: type, path, codec, compressed size, offsets of the data and of the dictionary.
COLUMN: Fields = {
    1: (TType.I32, {}),
    3: (TType.LIST, {}),
    4: (TType.I32, {}),
    7: (TType.I64, {}),
    9: (TType.I64, {}),
    11: (TType.I64, {}),
}
# FileMetaData: row_groups, their columns, and the meta_data of each.
FILE: Fields = {4: (TType.LIST, {1: (TType.LIST, {3: (TType.STRUCT, COLUMN)})})}
# PageHeader: decompressed and compressed size; values and encoding of a data page, v1 and v2.
PAGE: Fields = {
    2: (TType.I32, {}),
    3: (TType.I32, {}),
    5: (TType.STRUCT, {1: (TType.I32, {}), 2: (TType.I32, {})}),
    8: (TType.STRUCT, {1: (TType.I32, {}), 4: (TType.I32, {})}),
}


@dataclass(frozen=True)
class Chunk:
    """The pages of one column in one row group."""

    name: str
    is_text: bool
    start: int  # byte offset in the file
    size: int  # bytes in the file
    codec: int
    # Whether Arrow makes a dictionary of it; it then holds all texts of the row group in memory.
    is_dictionary: bool = False


@dataclass(frozen=True)
class Page:
    """One page, as its header describes it."""

    size: int  # bytes, decompressed
    packed: int  # bytes in the file
    values: int
    encoding: int
    is_dictionary: bool


@dataclass(frozen=True)
class Need:
    """The memory that reading one column takes."""

    pages: int  # bytes of pages that Arrow holds at once
    row: int  # bytes of text that one row may have


type RowGroup = list[Chunk]


def row_groups(path: Path, file: IO[bytes]) -> list[RowGroup]:
    """Return where the pages of each row group are.

    BadInput if the file is encrypted or damaged, or if its footer is too large. An empty list if it
    is not a Parquet file: Arrow then reports what is wrong.
    """
    end = file.seek(0, 2)
    file.seek(max(0, end - 8))
    size = int.from_bytes(file.read(4), "little")
    magic = file.read(4)
    if magic == b"PARE":
        raise BadInput("it is encrypted.", file=str(path))
    if magic != b"PAR1" or size > end - 8:
        return []
    if size > FOOTER:
        raise BadInput(f"its footer has more than {FOOTER >> 20} MiB.", file=str(path))
    file.seek(end - 8 - size)
    with _undamaged(path):
        footer = thrift_reader.read(file, FILE)
        return [[_chunk(column[3]) for column in group[1]] for group in footer[4]]


def batch_rows(path: Path, file: IO[bytes], group: RowGroup, place: str) -> int:
    """Return how many rows of a row group fit in one batch.

    BadInput if the row group takes more memory than INGEST_PAGES_MIB. `place` is its first row.
    """
    held, text = 0, 1
    for chunk in group:
        for need in _needs(path, file, chunk):
            if held + need.pages > settings.INGEST_PAGES_BYTES:
                limit = settings.INGEST_PAGES_BYTES >> 20
                problem = f"the pages that are read together unpack to more than {limit:,} MiB."
                raise BadInput(problem, file=str(path), place=place, advice=PAGES_ADVICE)
        held, text = held + need.pages, text + need.row
    return max(1, min(BATCH_ROWS, BATCH_BYTES // text))


def _needs(path: Path, file: IO[bytes], chunk: Chunk) -> Iterator[Need]:
    """Yield what reading a column needs, so far, after each of its page headers."""
    dictionary = data = row = 0
    yield Need(0, 0)
    for page in _pages(path, file, chunk):
        if page.is_dictionary:
            dictionary = max(dictionary, page.size)
        else:
            data = data + page.size if chunk.is_dictionary else max(data, page.size)
        yield Need(dictionary + data, row)  # checked before a dictionary is decompressed below
        if chunk.is_text:
            row = max(row, _text_bytes(path, file, chunk, page))
    yield Need(dictionary + data, row)


def _text_bytes(path: Path, file: IO[bytes], chunk: Chunk, page: Page) -> int:
    """Return the most bytes of text in one row: every row may use a dictionary's longest text."""
    if page.encoding == DELTA_BYTE_ARRAY:
        problem = "it uses the encoding DELTA_BYTE_ARRAY."
        raise BadInput(problem, file=str(path), column=chunk.name, advice=DELTA_ADVICE)
    if not page.is_dictionary:
        return page.size // page.values
    if chunk.codec not in CODECS:
        problem = f"it uses Parquet's codec {chunk.codec}."
        raise BadInput(problem, file=str(path), column=chunk.name, advice=CODEC_ADVICE)
    with _undamaged(path):
        return _longest(_decompress(file.read(page.packed), chunk.codec, page.size))


def _decompress(packed: bytes, codec: int, size: int) -> bytes:
    if name := CODECS[codec]:
        return bytes(pa.Codec(name).decompress(packed, size, asbytes=True))
    return packed


def _longest(texts: bytes) -> int:
    """Return the bytes of the longest text of a dictionary: each is preceded by its length."""
    position = longest = 0
    while position < len(texts):
        (size,) = struct.unpack_from("<I", texts, position)
        longest = max(longest, size)
        position += 4 + size
    return longest


def _chunk(column: dict[int, Any]) -> Chunk:
    name, first, dictionary = b".".join(column[3]).decode(), column[9], column.get(11, 0)
    start = dictionary if 0 < dictionary < first else first
    return Chunk(name, column[1] == BYTE_ARRAY, start, column[7], column[4])


def _pages(path: Path, file: IO[bytes], chunk: Chunk) -> Iterator[Page]:
    position = chunk.start
    while position < chunk.start + chunk.size:
        with _undamaged(path):
            file.seek(position)
            page = thrift_reader.read(file, PAGE)
            unpacked, packed = page[2], page[3]
            start = file.tell()
            if min(unpacked, packed) < 0:
                raise ValueError("negative size")
            header = page.get(5) or page.get(8) or {}
        encoding, values = header.get(4, header.get(2, 0)), max(1, header.get(1, 1))
        yield Page(unpacked, packed, values, encoding, is_dictionary=not header)
        position = start + packed


@contextmanager
def _undamaged(path: Path) -> Iterator[None]:
    """Report what damaged structures raise as BadInput."""
    try:
        yield
    except (*thrift_reader.MALFORMED, OSError, struct.error, pa.ArrowException) as error:
        raise BadInput("cannot be read: it is damaged.", file=str(path)) from error
