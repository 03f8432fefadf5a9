"""Excel's files (Office Open XML): Arrow writes the cells of a column at once.

A library that is called for each cell takes twenty times as long.
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

LONGEST_TEXT = 32_767  # UTF-16 units of a cell: an emoji is two
# A number of Excel's is a double: a larger whole number would change, so it is a text.
EXACT = 2**53
LEVEL = 3  # of zlib's 9; the default, 6, takes three times as long for a tenth less
DAY = 86_400_000_000  # microseconds
SHEET_EPOCH = 25_569.0  # days from Excel's day 0 to 1970
# Excel has a 29 February 1900, which never was: from 1 March on its days are one more.
MARCH_1900 = 61
# XML cannot hold them, and Excel reads them in `_x0007_`; a text that looks so is written so, too.
UNWRITABLE = r"[\x00-\x08\x0b-\x1f\x{fffe}\x{ffff}]|_x[0-9A-Fa-f]{4}_"
SPELLED = re.compile(UNWRITABLE.replace(r"\x{fffe}\x{ffff}", "\ufffe\uffff"))

type Column = Any  # pyarrow has no types


def xlsx(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    """The whole file is written, to the disk, before its first byte is known."""
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
    """Without the time: the same rows are the same bytes, whenever they are written."""
    part = ZipInfo(name)
    part.compress_type = ZIP_DEFLATED
    # Python 3.13 calls it compress_level, and knows this name, too.
    part._compresslevel = LEVEL  # type: ignore[attr-defined]
    return part


def _sheet(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    yield workbook.BEGIN.encode()
    yield _rows(pa.record_batch([[public(field)] for field in fields], [""] * len(fields)), 1)
    number = 2
    for batch in batches(rows, fields):
        yield _rows(batch, number)
        number += batch.num_rows
    yield workbook.END.encode()


def _rows(batch: pa.RecordBatch, first: int) -> bytes:
    """A batch as XML."""
    numbers = pa.array(map(str, range(first, first + batch.num_rows)), pa.string())
    cells = [_cells(column, i, numbers) for i, column in enumerate(batch.columns)]
    return "".join(_join('<row r="', numbers, '">', *cells, "</row>").to_pylist()).encode()


def _cells(column: Column, place: int, numbers: Column) -> Column:
    """Each value as a cell, in the form of its type; an empty cell where there is no value."""
    reference = _join(f'<c r="{workbook.letters(place)}', numbers, '"')
    return _join(reference, pc.fill_null(_form(column), "/>"))


def _form(column: Column) -> Column:
    type_ = column.type
    if pa.types.is_boolean(type_):
        return _join(' t="b"><v>', pc.if_else(column, "1", "0"), "</v></c>")
    if pa.types.is_date(type_) or (pa.types.is_timestamp(type_) and not type_.tz):
        return _times(column)
    if pa.types.is_integer(type_):
        fits = pc.and_(pc.less_equal(column, EXACT), pc.greater_equal(column, -EXACT))
        return pc.if_else(fits, _numbers(column), _texts(pc.cast(column, pa.string())))
    if pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return _numbers(column)
    return _texts(column if pa.types.is_string(type_) else _spelled(column))


def _numbers(column: Column) -> Column:
    return _join("><v>", pc.cast(column, pa.string()), "</v></c>")


def _times(column: Column) -> Column:
    """Excel counts days since 1900; before there are only texts."""
    style = workbook.DATE if pa.types.is_date(column.type) else workbook.TIME
    moment = pc.cast(pc.cast(column, pa.timestamp("us")), pa.int64())
    days = pc.add(pc.divide(pc.cast(moment, pa.float64(), safe=False), float(DAY)), SHEET_EPOCH)
    days = pc.if_else(pc.less(days, MARCH_1900), pc.subtract(days, 1.0), days)
    written = _join(f' s="{style}"><v>', pc.cast(days, pa.string()), "</v></c>")
    early = pc.less(days, 1.0)
    return (
        pc.if_else(early, _texts(_spelled(column)), written) if pc.any(early).as_py() else written
    )


def _spelled(column: Column) -> Column:
    """What Excel has no type for, as Python spells it."""
    spell: Callable[[Any], str] = str if pa.types.is_binary(column.type) else _iso
    values = column.to_pylist()
    return pa.array([None if v is None else spell(v) for v in values], pa.string())


def _iso(value: Any) -> str:
    return str(value.isoformat())


def _texts(column: Column) -> Column:
    _check(column)
    if pc.any(pc.match_substring_regex(column, UNWRITABLE)).as_py():
        column = pa.array(map(_escaped, column.to_pylist()), pa.string())
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        column = pc.replace_substring(column, sign, entity)
    return _join(' t="inlineStr"><is><t xml:space="preserve">', column, "</t></is></c>")


def _escaped(text: str | None) -> str | None:
    """A sign that XML lacks becomes `_xHHHH_`, and of a text of that form the first `_`."""
    return text and SPELLED.sub(lambda match: f"_x{ord(match[0][0]):04X}_{match[0][1:]}", text)


def _check(column: Column) -> None:
    for text in column.filter(pc.greater(pc.utf8_length(column), LONGEST_TEXT // 2)).to_pylist():
        units = len(text.encode("utf-16-le")) // 2
        if units > LONGEST_TEXT:
            raise BadQuery(
                f"A text has {units:,} characters, and a cell of Excel {LONGEST_TEXT:,}."
            )


def _join(*parts: Any) -> Column:
    """No value where a part has none."""
    return pc.binary_join_element_wise(*parts, "")
