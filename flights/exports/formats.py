"""The file formats: how PostgreSQL writes the rows, and what turns them into a file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flights.errors import BadQuery
from flights.mirror import Field

from . import copy_sql

SHEET_ROWS = 2**20 - 1  # rows of an Excel sheet, without the header


@dataclass(frozen=True)
class Format:
    name: str  # value of `format=`, and the file name's extension
    media_type: str
    statement: Callable[[str, list[Field]], str]
    write: Callable[[Iterator[bytes], list[Field]], Iterator[bytes]]
    packable: bool = True  # False: the format compresses its content itself
    most: int | None = None  # rows that a file can hold; None: no limit

    @property
    def content_type(self) -> str:
        """The media type, with the charset of texts, since programs would guess another."""
        text = self.media_type.startswith("text/")
        return f"{self.media_type}; charset=utf-8" if text else self.media_type

    def check(self, rows: int) -> None:
        """BadQuery if the format cannot hold so many rows."""
        if self.most is not None and rows > self.most:
            raise BadQuery(
                f"The query has {rows:,} rows, and {self.name} can hold {self.most:,}."
                " Give a limit, filter more, or take another format.",
                [name for name, format_ in FORMATS.items() if format_.most is None],
            )


def _as_copied(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    return rows


# These modules need much memory, so they are loaded only when a process writes such a file.
def _parquet(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    from . import arrow

    return arrow.parquet(rows, fields)


def _arrow(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    from . import arrow

    return arrow.arrow(rows, fields)


def _sheet(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    from . import excel

    return excel.xlsx(rows, fields)


FORMATS = {
    format_.name: format_
    for format_ in (
        Format("csv", "text/csv", copy_sql.csv, _as_copied),
        Format("ndjson", "application/x-ndjson", copy_sql.json, _as_copied),
        Format("arrow", "application/vnd.apache.arrow.stream", copy_sql.plain, _arrow),
        Format(
            *("parquet", "application/vnd.apache.parquet", copy_sql.plain, _parquet),
            packable=False,
        ),
        Format(
            *("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            *(copy_sql.sheet, _sheet),
            packable=False,
            most=SHEET_ROWS,
        ),
    )
}
