"""CSV files of raw flight records, plain or in .gz or .zip.

Arrow reads them fast, but cannot say on which line something is wrong. Where it finds anything,
the file is read again with Python's csv, which can.
"""

import csv
import gzip
import io
import itertools
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.csv

from .exceptions import BadInput
from .records import BadValue, Layout, RecordFile

BLOCK = 4 << 20  # bytes that are parsed at once; a record cannot be longer

type Content = IO[bytes] | gzip.GzipFile


@contextmanager
def opened(path: Path) -> Iterator[RecordFile]:
    layout = Layout.of(_header(path))
    schema = layout.schema([pa.string()] * len(layout.names))
    size = path.stat().st_size
    with path.open("rb") as file, _content(path, file) as content:
        batches = _batches(path, content, layout, schema)
        yield RecordFile(schema, batches, lambda _: file.tell() / size)


def _batches(
    path: Path, content: Content, layout: Layout, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    names = [str(index) for index in range(len(layout.names))]
    options = (
        pyarrow.csv.ReadOptions(column_names=names, skip_rows_after_names=1, block_size=BLOCK),
        pyarrow.csv.ParseOptions(newlines_in_values=True),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,  # "" is an empty text, nothing at all is a null
        ),
    )
    try:
        with pyarrow.csv.open_csv(content, *options) as reader:
            for batch in reader:
                yield layout.typed(batch, schema)
    except (pa.ArrowInvalid, BadValue):
        _blame(path, layout, schema)
        raise


def _blame(path: Path, layout: Layout, schema: pa.Schema) -> None:
    """BadInput for the first line that breaks a rule."""
    records = itertools.islice(_records(path), 1, None)
    for chunk in itertools.batched(records, 10_000):
        whole = list(itertools.takewhile(lambda r: not _broken(r[1], layout), chunk))
        try:
            layout.typed(_batch([record for _, record in whole], layout), schema)
        except BadValue as error:
            raise error.at(path, f"line {whole[error.row][0]}") from None
        for line, record in chunk[len(whole) :]:
            raise BadInput(_broken(record, layout), file=str(path), place=f"line {line}")


def _batch(records: list[list[str]], layout: Layout) -> pa.RecordBatch:
    columns = zip(*records, strict=True) if records else [()] * len(layout.names)
    texts = [pa.array([value or None for value in c], pa.string()) for c in columns]
    return pa.RecordBatch.from_arrays(texts, list(layout.names))


def _broken(record: Sequence[str], layout: Layout) -> str:
    """What is wrong with a record as a whole, or nothing."""
    if not _is_utf8(record):
        return "not UTF-8. Save the file as UTF-8."
    if len(record) != len(layout.names):
        there, wanted = len(record), len(layout.names)
        return f"{there} values, but the header names {wanted} columns. Check commas and quotes."
    return ""


def _header(path: Path) -> list[str]:
    line, names = next(_records(path), (0, []))
    if not line:
        raise BadInput("the file is empty.", file=str(path))
    if not _is_utf8(names) or "\0" in "".join(names):
        raise BadInput("not UTF-8 text.", file=str(path), place="line 1")
    if line > 1:
        raise BadInput("no column names.", file=str(path), place="line 1")
    return names


def _is_utf8(record: Sequence[str]) -> bool:
    try:
        "".join(record).encode()
    except UnicodeEncodeError:
        return False
    return True


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each record and its first line; a byte that is not UTF-8 becomes a lone surrogate."""
    with path.open("rb") as file, _content(path, file) as content:
        text = io.TextIOWrapper(content, "utf-8-sig", "surrogateescape", newline="")
        reader, line = csv.reader(text), 1
        try:
            for record in reader:
                if record:  # an empty line is no record
                    yield line, record
                line = reader.line_num + 1
        except csv.Error as error:
            problem = f"{error}. Check its quotes."
            raise BadInput(problem, file=str(path), place=f"line {line}") from None


@contextmanager
def _content(path: Path, file: IO[bytes]) -> Iterator[Content]:
    """The bytes of the CSV in a file, unpacked."""
    match path.suffix.lower():
        case ".gz":
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked
        case ".zip":
            with zipfile.ZipFile(file) as archive, archive.open(_member(path, archive)) as member:
                yield member
        case _:
            yield file


def _member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    found = [m for m in archive.infolist() if m.filename.lower().endswith(".csv")]
    if len(found) != 1 or found[0].flag_bits & 1:  # the bit of encrypted ones
        holds = ", ".join(m.filename for m in archive.infolist()) or "nothing"
        advice = "Give an archive of one CSV file, without a password."
        raise BadInput(f"it holds {holds}.", file=str(path), advice=advice)
    return found[0]
