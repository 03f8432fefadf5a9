"""Write Excel files (Office Open XML, ECMA-376).

Arrow makes the XML of all cells of a column in a few calls. A library that is called for each cell
takes twenty times as long.
"""

import re
import tempfile
from collections.abc import Callable, Iterator
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pyarrow as pa
import pyarrow.compute as pc

from flights.errors import BadQuery
from flights.mirror import Field, public

from . import workbook
from .arrow import batches
from .copy_out import CHUNK

LONGEST_TEXT = 32_767  # UTF-16 units that a cell can hold; an emoji has two
# Excel's numbers are doubles, which would round a larger whole number: it is written as text.
MAX_INTEGER = 2**53
# zlib's default level, 6, takes three times as long and makes files a tenth smaller.
COMPRESSION_LEVEL = 3
DAY = 86_400_000_000.0  # microseconds
UNIX_EPOCH = 25_569.0  # Excel's number of 1 January 1970
# Excel counts 29 February 1900, a day that did not exist. So its numbers are one greater from
# 1 March 1900, which has this number.
MARCH_1900 = 61
# Characters that XML cannot contain are written like `_x0007_`. A text that already contains such a
# sequence is escaped, too, or Excel would decode it.
UNWRITABLE = r"[\x00-\x08\x0b-\x1f\x{fffe}\x{ffff}]|_x[0-9A-Fa-f]{4}_"
UNWRITABLE_RE = re.compile(UNWRITABLE.replace(r"\x{fffe}\x{ffff}", "\ufffe\uffff"))

type Column = Any  # pyarrow has no types


def xlsx(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    """Convert chunks of CSV (`copy_sql.sheet`) to an Excel file, with a header row.

    The whole file is written to disk before its first byte is returned. Raises BadQuery if a text
    is too long for a cell.
    """
    with tempfile.TemporaryFile() as file:
        with ZipFile(file, "w") as archive:
            for name, text in workbook.PARTS.items():
                archive.writestr(_part(name), text)
            with archive.open(_part(workbook.SHEET), "w") as sheet:
                for xml in _sheet(rows, fields):
                    sheet.write(xml)
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


def _part(name: str) -> ZipInfo:
    """A part of the archive without a time, so that equal rows always make equal bytes."""
    part = ZipInfo(name)
    part.compress_type = ZIP_DEFLATED
    # Python 3.13 names it `compress_level`, and still accepts this name.
    part._compresslevel = COMPRESSION_LEVEL  # type: ignore[attr-defined]
    return part


def _sheet(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    yield workbook.BEGIN.encode()
    header = pa.record_batch([[public(field)] for field in fields], [""] * len(fields))
    yield _rows(header, 1)
    number = 2
    for batch in batches(rows, fields):
        yield _rows(batch, number)
        number += batch.num_rows
    yield workbook.END.encode()


def _rows(batch: pa.RecordBatch, first: int) -> bytes:
    """The XML of a batch's rows; `first` is the sheet's number of the first row."""
    numbers = pa.array(map(str, range(first, first + batch.num_rows)), pa.string())
    cells = [_cells(column, i, numbers) for i, column in enumerate(batch.columns)]
    return "".join(_join('<row r="', numbers, '">', *cells, "</row>").to_pylist()).encode()


def _cells(column: Column, index: int, numbers: Column) -> Column:
    """The XML of a column's cells; a null becomes an empty cell."""
    reference = _join(f'<c r="{workbook.column_letters(index)}', numbers, '"')
    return _join(reference, pc.fill_null(_content(column), "/>"))


def _content(column: Column) -> Column:
    """The rest of each cell's XML after its reference, according to the type; null for null."""
    type_ = column.type
    if pa.types.is_boolean(type_):
        return _join(' t="b"><v>', pc.if_else(column, "1", "0"), "</v></c>")
    if pa.types.is_date(type_) or (pa.types.is_timestamp(type_) and not type_.tz):
        return _dates(column)
    if pa.types.is_integer(type_):
        fits = pc.and_(pc.less_equal(column, MAX_INTEGER), pc.greater_equal(column, -MAX_INTEGER))
        return pc.if_else(fits, _numbers(column), _texts(pc.cast(column, pa.string())))
    if pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return _numbers(column)
    return _texts(column if pa.types.is_string(type_) else _as_text(column))


def _numbers(column: Column) -> Column:
    return _join("><v>", pc.cast(column, pa.string()), "</v></c>")


def _dates(column: Column) -> Column:
    """Dates and times are numbers of days since 1900; earlier ones are written as text."""
    style = workbook.DATE if pa.types.is_date(column.type) else workbook.TIME
    microseconds = pc.cast(pc.cast(column, pa.timestamp("us")), pa.int64())
    days = pc.add(pc.divide(pc.cast(microseconds, pa.float64(), safe=False), DAY), UNIX_EPOCH)
    days = pc.if_else(pc.less(days, MARCH_1900), pc.subtract(days, 1.0), days)
    cells = _join(f' s="{style}"><v>', pc.cast(days, pa.string()), "</v></c>")
    early = pc.less(days, 1.0)
    if pc.any(early).as_py():
        return pc.if_else(early, _texts(_as_text(column)), cells)
    return cells


def _as_text(column: Column) -> Column:
    """Values of types that Excel lacks: times in ISO 8601, bytes like Python's `b'...'`."""
    write: Callable[[Any], str] = str if pa.types.is_binary(column.type) else _iso
    values = column.to_pylist()
    return pa.array([None if v is None else write(v) for v in values], pa.string())


def _iso(value: Any) -> str:
    return str(value.isoformat())


def _texts(column: Column) -> Column:
    _check_lengths(column)
    if pc.any(pc.match_substring_regex(column, UNWRITABLE)).as_py():
        column = pa.array(map(_escape, column.to_pylist()), pa.string())
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        column = pc.replace_substring(column, character, entity)
    return _join(' t="inlineStr"><is><t xml:space="preserve">', column, "</t></is></c>")


def _escape(text: str | None) -> str | None:
    """Write an unwritable character as `_xHHHH_`; in a text like `_x0007_`, the first `_`."""
    return text and UNWRITABLE_RE.sub(
        lambda match: f"_x{ord(match[0][0]):04X}_{match[0][1:]}", text
    )


def _check_lengths(column: Column) -> None:
    for text in column.filter(pc.greater(pc.utf8_length(column), LONGEST_TEXT // 2)).to_pylist():
        units = len(text.encode("utf-16-le")) // 2
        if units > LONGEST_TEXT:
            raise BadQuery(
                f"A text has {units:,} characters, and an Excel cell can hold {LONGEST_TEXT:,}."
                " Choose another format."
            )


def _join(*parts: Any) -> Column:
    """Concatenate texts and columns of text; null if one of the parts is null."""
    return pc.binary_join_element_wise(*parts, "")
