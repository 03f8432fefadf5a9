"""The file formats: the COPY statement of each, and the function that writes its file."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from flights.errors import BadQuery
from flights.mirror import Field

from . import copy_sql

SHEET_ROWS = 2**20 - 1  # rows of an Excel sheet, without the header row


@dataclass(frozen=True)
class Format:
    """A file format."""

    name: str  # value of `format=`, and the file name's extension
    media_type: str
    # From SQL, its columns, and the names of those without formulas, to COPY.
    statement: Callable[[str, list[Field], Collection[str]], str]
    write: Callable[[Iterator[bytes], list[Field]], Iterator[bytes]]  # from COPY's chunks to a file
    compressible: bool = True  # False: the format compresses its content itself
    max_rows: int | None = None  # rows that a file can hold; None: no limit

    @property
    def content_type(self) -> str:
        """The header Content-Type. Text formats name UTF-8: clients may assume another charset."""
        is_text = self.media_type.startswith("text/")
        return f"{self.media_type}; charset=utf-8" if is_text else self.media_type

    def check(self, rows: int) -> None:
        """Raise BadQuery (400) if a file of this format cannot hold this number of rows."""
        if self.max_rows is not None and rows > self.max_rows:
            raise BadQuery(
                f"The query has {rows:,} rows, and {self.name} can hold {self.max_rows:,}."
                " Add a limit or filters, or choose another format.",
                [name for name, format_ in FORMATS.items() if format_.max_rows is None],
            )


def _unchanged(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    return rows


# These modules use much memory, so a process imports them only when it writes such a file.
def _parquet(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    from . import arrow

    return arrow.parquet(rows, fields)


def _arrow(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    from . import arrow

    return arrow.ipc_stream(rows, fields)


def _sheet(rows: Iterator[bytes], fields: list[Field]) -> Iterator[bytes]:
    from . import excel

    return excel.xlsx(rows, fields)


FORMATS = {
    format_.name: format_
    for format_ in (
        Format("csv", "text/csv", copy_sql.csv, _unchanged),
        Format("ndjson", "application/x-ndjson", copy_sql.json, _unchanged),
        Format("arrow", "application/vnd.apache.arrow.stream", copy_sql.plain, _arrow),
        Format(
            *("parquet", "application/vnd.apache.parquet", copy_sql.plain, _parquet),
            compressible=False,
        ),
        Format(
            *("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            *(copy_sql.sheet, _sheet),
            compressible=False,
            max_rows=SHEET_ROWS,
        ),
    )
}
