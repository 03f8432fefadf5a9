"""Looks at the headers of a Parquet file's pages before Arrow reads them.

A page of some kB can unpack to gigabytes, all at once, and the sizes in the file's footer may be
wrong: only the header of each page has the size that Arrow makes room for.

The structures are those of parquet.thrift. They are read here, as pyarrow does not show the headers
of pages, and ends the process where it is asked for a damaged footer's columns.
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
BATCH_BYTES = 16 << 20  # of text
FOOTER = 16 << 20  # bytes; 100 columns in 500 row groups need 10 MB
BYTE_ARRAY, DELTA_BYTE_ARRAY = 6, 7  # Parquet's numbers of a type and of an encoding
CODECS = {0: "", 1: "snappy", 2: "gzip", 4: "brotli", 6: "zstd", 7: "lz4_raw"}
PAGES_ADVICE = "Write it with smaller pages, or raise INGEST_PAGES_MIB."
# A value is written as what it adds to the one before: a page of 1 MB can be gigabytes of text.
DELTA_ADVICE = "Write text with a dictionary or with the encoding PLAIN."
CODEC_ADVICE = "Pack it with SNAPPY, GZIP, BROTLI, ZSTD or LZ4_RAW."

# Fields by their ids.
COLUMN: Fields = {  # type, path, codec, packed size, where data and dictionary begin
    1: (TType.I32, {}),
    3: (TType.LIST, {}),
    4: (TType.I32, {}),
    7: (TType.I64, {}),
    9: (TType.I64, {}),
    11: (TType.I64, {}),
}
FILE: Fields = {4: (TType.LIST, {1: (TType.LIST, {3: (TType.STRUCT, COLUMN)})})}
PAGE: Fields = {  # unpacked size, packed size; values and encoding of data pages, 1 and 2
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
    start: int
    size: int  # bytes in the file
    codec: int
    is_dictionary: bool = False  # in Arrow, which then collects the texts of the whole row group


@dataclass(frozen=True)
class Page:
    size: int  # bytes, unpacked
    packed: int
    values: int
    encoding: int
    is_dictionary: bool


@dataclass(frozen=True)
class Need:
    pages: int  # bytes that Arrow holds
    row: int  # bytes of text that one row may have


type RowGroup = list[Chunk]


def row_groups(path: Path, file: IO[bytes]) -> list[RowGroup]:
    """Where the pages are. Nothing where this is no Parquet file: Arrow says what is wrong."""
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
    """How many rows may be read at once; BadInput where a row group takes too much memory."""
    held, text = 0, 1
    for chunk in group:
        for need in _needs(path, file, chunk):
            if held + need.pages > settings.INGEST_PAGES_BYTES:
                limit = settings.INGEST_PAGES_BYTES >> 20
                problem = f"what is read at once unpacks to more than {limit:,} MiB."
                raise BadInput(problem, file=str(path), place=place, advice=PAGES_ADVICE)
        held, text = held + need.pages, text + need.row
    return max(1, min(BATCH_ROWS, BATCH_BYTES // text))


def _needs(path: Path, file: IO[bytes], chunk: Chunk) -> Iterator[Need]:
    """What reading a column needs by all that is known after each of its pages."""
    dictionary = data = row = 0
    yield Need(0, 0)
    for page in _pages(path, file, chunk):
        if page.is_dictionary:
            dictionary = max(dictionary, page.size)
        else:
            data = data + page.size if chunk.is_dictionary else max(data, page.size)
        yield Need(dictionary + data, row)  # before a dictionary is unpacked
        if chunk.is_text:
            row = max(row, _text_bytes(path, file, chunk, page))
    yield Need(dictionary + data, row)


def _text_bytes(path: Path, file: IO[bytes], chunk: Chunk, page: Page) -> int:
    """What one row of a page takes: of a dictionary, each may have the longest text."""
    if page.encoding == DELTA_BYTE_ARRAY:
        problem = "it is written with the encoding DELTA_BYTE_ARRAY."
        raise BadInput(problem, file=str(path), column=chunk.name, advice=DELTA_ADVICE)
    if not page.is_dictionary:
        return page.size // page.values
    if chunk.codec not in CODECS:
        problem = f"it is packed by Parquet's codec {chunk.codec}."
        raise BadInput(problem, file=str(path), column=chunk.name, advice=CODEC_ADVICE)
    with _undamaged(path):
        return _longest(_unpacked(file.read(page.packed), chunk.codec, page.size))


def _unpacked(packed: bytes, codec: int, size: int) -> bytes:
    if name := CODECS[codec]:
        return bytes(pa.Codec(name).decompress(packed, size, asbytes=True))
    return packed


def _longest(texts: bytes) -> int:
    """The bytes of the longest text of a dictionary: each begins with its size."""
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
                raise ValueError("a size below 0")
            header = page.get(5) or page.get(8) or {}
        encoding, values = header.get(4, header.get(2, 0)), max(1, header.get(1, 1))
        yield Page(unpacked, packed, values, encoding, is_dictionary=not header)
        position = start + packed


@contextmanager
def _undamaged(path: Path) -> Iterator[None]:
    try:
        yield
    except (*thrift_reader.MALFORMED, OSError, struct.error, pa.ArrowException) as error:
        raise BadInput("cannot be read: it is damaged.", file=str(path)) from error
