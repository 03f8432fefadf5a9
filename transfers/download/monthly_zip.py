"""Check a monthly zip file: complete, with one complete CSV file of rows of the right month."""

import csv
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from django.conf import settings

from transfers.exceptions import BadDownload, BadInput
from transfers.ingest.compressed import UnpackLimit, check_method, chunks, open_zip

from .months import Month

DATES = DATE, YEAR, MONTH = "flightdate", "year", "month"
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def check(path: Path, month: Month) -> int:
    """Return the number of rows of a month's zip file; BadDownload if a rule is broken."""
    try:
        with path.open("rb") as file, open_zip(path, file) as archive:
            return _check_members(path, archive, month)
    except (*DAMAGED, pa.ArrowInvalid, UnicodeDecodeError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise BadDownload(f"The file of {month} is damaged: {reason}.") from error
    except BadInput as error:  # it cannot be unpacked in bounded memory
        raise BadDownload(f"The file of {month}: {error}", advice=error.advice) from error


def _check_members(path: Path, archive: zipfile.ZipFile, month: Month) -> int:
    for file in archive.infolist():
        check_method(path, file)
    member, others = _csv(archive, month)
    limit = UnpackLimit(path)
    for other in others:
        with archive.open(other) as content:
            for _ in chunks(content, limit):  # the end checks the CRC
                pass
    with archive.open(member) as content:
        return _check_rows(content, limit, month)


def _csv(archive: zipfile.ZipFile, month: Month) -> tuple[zipfile.ZipInfo, list[zipfile.ZipInfo]]:
    """Return the only CSV file, and the readme files; BadDownload if there is anything else."""
    files = [member for member in archive.infolist() if not member.is_dir()]
    tables = [member for member in files if member.filename.lower().endswith(".csv")]
    others = [member for member in files if member not in tables]
    readme = all(Path(member.filename).name.lower().startswith("readme") for member in others)
    if len(tables) != 1 or not readme:
        names = ", ".join(member.filename for member in files[:5]) or "nothing"
        problem = f"The file of {month} contains {names}, not one CSV file and a readme."
        raise BadDownload(problem)
    return tables[0], others


def _header(line: bytes, month: Month) -> list[str]:
    """Return the names of the columns; BadDownload unless they state the date."""
    if not line.strip():
        raise BadDownload(f"The CSV file of {month} is empty.")
    header = next(csv.reader([line.decode("utf-8-sig", errors="replace")]), [])
    if not {name.lower() for name in header} >= set(DATES):
        problem = f"The CSV file of {month} has no columns Year, Month and FlightDate."
        raise BadDownload(problem)
    return header


def _check_rows(content: IO[bytes], limit: UnpackLimit, month: Month) -> int:
    lines, rows = content.readline(settings.INGEST_LINE_BYTES), 0
    header = _header(lines, month)
    for lines in _lines(chunks(content, limit), month):
        dates = _dates(lines, header)
        _check_month(dates, rows, month)
        rows += dates.num_rows
    if not lines.endswith(b"\n"):
        raise BadDownload(f"The CSV file of {month} is incomplete: its last line has no end.")
    if not rows:
        raise BadDownload(f"The CSV file of {month} has no rows.")
    return rows


def _lines(content: Iterator[bytes], month: Month) -> Iterator[bytes]:
    """Yield whole lines.

    Arrow would read a Python file in its own threads, which may crash a process that ends then.
    """
    rest = b""
    for chunk in content:
        lines, end, rest = (rest + chunk).rpartition(b"\n")
        if len(rest) > settings.INGEST_LINE_BYTES:
            raise BadDownload(f"The CSV file of {month} has a line that is too long.")
        if end:
            yield lines + end
    if rest:
        yield rest


def _dates(lines: bytes, header: list[str]) -> pa.Table:
    """Read the columns of the date. Arrow refuses rows with another number of values."""
    names = [name for name in header if name.lower() in DATES]
    return pyarrow.csv.read_csv(
        pa.BufferReader(lines),
        pyarrow.csv.ReadOptions(column_names=header, block_size=len(lines)),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=names, column_types=dict.fromkeys(names, pa.string())
        ),
    )


def _check_month(dates: pa.Table, before: int, month: Month) -> None:
    for name, column in zip(dates.column_names, dates.columns, strict=True):
        wrong = pc.index(pc.fill_null(_matches(name, column, month), False), False).as_py()
        if wrong >= 0:
            raise BadDownload(
                f"The CSV file of {month}, row {before + wrong + 1:,}:"
                f" {name} is {column[wrong].as_py()!r}, which is not in {month}."
            )


def _matches(name: str, column: pa.ChunkedArray, month: Month) -> pa.ChunkedArray:
    if name.lower() == DATE:
        return pc.starts_with(column, f"{month}-")
    return pc.equal(column, str(month.year if name.lower() == YEAR else month.month))
