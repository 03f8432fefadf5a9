"""Excel's files."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from flights.errors import BadQuery
from flights.mirror import Field, public

from .copying import CHUNK
from .tables import batches

LONGEST_TEXT = 32_767  # UTF-16 units of a cell: an emoji is two
# A number of Excel's is a double: a larger whole number would change, so it is a text.
EXACT = 2**53
# The same rows are the same bytes, whenever they are written: a digest is told before the file.
CREATED = datetime(1980, 1, 1, tzinfo=UTC)


def xlsx(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    """The whole file is written, to the disk, before its first byte is known."""
    with tempfile.TemporaryFile() as file:
        options = {"constant_memory": True, "strings_to_urls": False, "strings_to_formulas": False}
        with Workbook(file, {**options, "default_date_format": "yyyy-mm-dd"}) as book:
            book.set_properties({"created": CREATED})
            _fill(book.add_worksheet(), rows, fields)
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


def _fill(sheet: Worksheet, rows: Iterator[bytes], fields: list[Field]) -> None:
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, [public(field) for field in fields])
    number = 0
    for batch in batches(rows, fields):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            number += 1
            sheet.write_row(number, 0, map(_cell, row))


def _cell(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_TEXT // 2:
        _check(value)
    if isinstance(value, date) and (value.year < 1900 or getattr(value, "tzinfo", None)):
        return value.isoformat()  # Excel knows no zones, and no time before 1900
    whole = isinstance(value, int) and abs(value) > EXACT
    return str(value) if whole or isinstance(value, bytes) else value


def _check(text: str) -> None:
    units = len(text.encode("utf-16-le")) // 2
    if units > LONGEST_TEXT:
        raise BadQuery(f"A text has {units:,} characters, and a cell of Excel {LONGEST_TEXT:,}.")
