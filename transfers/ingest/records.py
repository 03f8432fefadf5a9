"""Check raw flight records and convert them to the columns of the raw table.

The rules are the same for CSV and Parquet; docs/data-sources.md lists them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings

from transfers.exceptions import BadInput

from . import arrow_types
from .raw_columns import REQUIRED

# Characters that Delta tables do not allow in column names. Each becomes a "_":
# https://docs.databricks.com/aws/en/delta/column-mapping
FORBIDDEN_IN_NAMES = re.compile(r"[ ,;{}()\n\t=]")

DATE = r"^(?P<value>[1-9]\d{3}-\d\d-\d\d)(?:[ T]00:00:00(?:\.0+)?)?$"
DATE_ADVICE = "Write it as YYYY-MM-DD."
MINUTES = r"^(?P<value>-?\d+)(?:\.0+)?$"
MINUTES_ADVICE = "Write whole minutes, or leave it empty (or NA) for a cancelled flight."
TEXT_ADVICE = "Every record needs an airline and both cities."
EXACT_ADVICE = "Store it with less precision, or as text."
NAME_ADVICE = "Name the column in the header, or remove it."


class BadColumns(Exception):
    """A problem with the names or types of a file's columns; `advice` says how to solve it."""

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.advice = advice


class BadValue(Exception):
    """The first value of a batch that breaks a rule. Rows count from 0."""

    def __init__(self, row: int, column: str, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.row, self.column, self.advice = row, column, advice

    def at(self, path: Path, place: str) -> BadInput:
        """Return the error for people, which names the file and the place in it."""
        return BadInput(
            str(self), file=str(path), place=place, column=self.column, advice=self.advice
        )


@dataclass(frozen=True)
class Rows:
    """Some unconverted rows of a file, and the place of each in the file: "line 7", "row 7"."""

    batch: pa.RecordBatch
    place: Callable[[int], str]


@dataclass(frozen=True)
class Source:
    """An open file of any format, before its columns are checked."""

    names: Sequence[str]
    types: Sequence[pa.DataType]
    rows: Iterator[Rows]  # raises BadInput if the file breaks a rule of its format
    share: Callable[[int], float]  # from rows read to the share of the file read, 0 to 1


@dataclass(frozen=True)
class Layout:
    """The columns of a file: their names in the file, and in the raw table ("": left out)."""

    headers: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, headers: Sequence[str]) -> Self:
        """Name the columns; BadColumns if a required one is missing or two get the same name."""
        if len(headers) > settings.INGEST_COLUMNS:
            problem = f"{len(headers):,} columns; at most {settings.INGEST_COLUMNS:,} are allowed."
            raise BadColumns(problem, "Remove some, or raise INGEST_COLUMNS.")
        one_line = (" ".join(name.split()) for name in headers)  # error messages have one line
        layout = cls(tuple(one_line), tuple(_name(name) for name in headers))
        layout._refuse_clashes()
        names = {name.lower() for name in layout.names}
        if missing := [name for name in REQUIRED if name.lower() not in names]:
            words = ", ".join(name.replace("_", " ") for name in missing)
            existing = ", ".join(filter(None, layout.headers))
            raise BadColumns(f"no column {words}.", f"Its columns are {existing}.")
        return layout

    def schema(self, types: Sequence[pa.DataType]) -> pa.Schema:
        """Return the raw table's columns for the file's types; BadColumns if a type is refused."""
        columns = zip(self.headers, self.names, types, strict=True)
        return pa.schema(
            [(name, _type(header, name, type_)) for header, name, type_ in columns if name]
        )

    def convert(self, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        """Convert rows to the raw table's columns; BadValue names the first bad value."""
        columns, wrong = [], []
        for header, name, column in zip(self.headers, self.names, batch.columns, strict=True):
            try:
                if not name:
                    _refuse_values(column)
                else:
                    columns.append(_convert(column, schema.field(name), header))
            except BadValue as error:
                wrong.append(error)
        if wrong:
            first = min(wrong, key=lambda error: error.row)
            # Each column reports only the first broken rule: an earlier row may break another one.
            self.convert(batch.slice(0, first.row), schema)
            raise first
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _refuse_clashes(self) -> None:
        first: dict[str, int] = {}
        for index, name in enumerate(self.names):
            other = first.setdefault(name.lower(), index)
            if name and other != index:
                pair = f"{self.headers[other]!r} and {self.headers[index]!r}"
                raise BadColumns(
                    f"columns {pair} both become {name}.", "Rename or remove one of them."
                )


def _name(header: str) -> str:
    """Return the raw table's name for a column; a required name gets its usual spelling."""
    clean = FORBIDDEN_IN_NAMES.sub("_", unicodedata.normalize("NFC", header).strip())
    return {name.lower(): name for name in REQUIRED}.get(clean.lower(), clean)


def _type(header: str, name: str, type_: pa.DataType) -> pa.DataType:
    if required := REQUIRED.get(name):
        if arrow_types.is_accepted(type_, required):
            return required
        words = arrow_types.ACCEPTED[required][1]
        raise BadColumns(f"column {header} is of type {type_}.", f"Store it as {words}.")
    if stored := arrow_types.stored_type(type_):
        return stored
    advice = f"Remove it, or store it as {arrow_types.STORABLE}."
    raise BadColumns(f"column {header} is of type {type_}.", advice)


def _convert(column: pa.Array, field: pa.Field, header: str) -> pa.Array:
    if field.name in REQUIRED:
        rules = {pa.date32(): _dates, pa.string(): _names, pa.int32(): _minutes}
        return rules[field.type](column, header)
    if field.type == pa.string():
        return _nfc(column.cast(pa.string()))
    return _cast(column, field.type, header, f"does not fit {field.type} exactly", EXACT_ADVICE)


def _nfc(text: pa.Array) -> pa.Array:
    """Normalize texts to Unicode's composed form (NFC), so that texts that look equal are equal."""
    return text if pc.all(pc.string_is_ascii(text)).as_py() else pc.utf8_normalize(text, "NFC")


def _refuse_values(column: pa.Array) -> None:
    _refuse(column, pc.is_valid(column), "", "is in a column without a name", NAME_ADVICE)


def _names(column: pa.Array, header: str) -> pa.Array:
    text = _nfc(pc.utf8_trim_whitespace(column.cast(pa.string())))
    filled = pc.fill_null(text, "")
    _refuse(column, pc.equal(filled, ""), header, "is empty", TEXT_ADVICE)
    _refuse(
        column, pc.match_substring(filled, "\0"), header, "contains a NUL character", "Remove it."
    )
    return text


def _dates(column: pa.Array, header: str) -> pa.Array:
    text = column.cast(pa.string())
    dates = pc.struct_field(pc.extract_regex(pc.utf8_trim_whitespace(text), DATE), "value")
    _refuse(column, pc.is_null(dates), header, "is not a date", DATE_ADVICE)
    return _cast(dates, pa.date32(), header, "is not in the calendar", DATE_ADVICE)


def _minutes(column: pa.Array, header: str) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(_whole_minutes(column, header).cast(pa.string()))
    some = pc.invert(pc.is_in(trimmed, pa.array(["", "NA", None])))
    minutes = pc.struct_field(pc.extract_regex(trimmed, MINUTES), "value")
    bad = pc.and_(some, pc.is_null(minutes))
    _refuse(column, bad, header, "is not a number of minutes", MINUTES_ADVICE)
    return _cast(minutes, pa.int32(), header, "is out of range", MINUTES_ADVICE)


def _whole_minutes(column: pa.Array, header: str) -> pa.Array:
    """Convert durations to minutes; return other columns unchanged, as they are in minutes."""
    if not pa.types.is_duration(column.type):
        return column
    ticks, minute = column.cast(pa.int64()), arrow_types.MINUTE[column.type.unit]
    minutes = pc.divide(ticks, minute)
    bad = pc.not_equal(pc.multiply(minutes, minute), ticks)
    problem = f"{column.type.unit} is not a whole number of minutes"
    _refuse(ticks, bad, header, problem, MINUTES_ADVICE)
    return minutes


def _cast(column: pa.Array, type_: pa.DataType, header: str, problem: str, advice: str) -> pa.Array:
    try:
        return column.cast(type_)
    except pa.ArrowInvalid:
        bad = pa.array([not _fits(value, type_) for value in column])
        _refuse(column, bad, header, problem, advice)
        raise


def _fits(value: pa.Scalar, type_: pa.DataType) -> bool:
    try:
        value.cast(type_)
    except pa.ArrowInvalid:
        return False
    return True


def _refuse(column: pa.Array, bad: pa.Array, header: str, problem: str, advice: str) -> None:
    """Raise BadValue for the first row whose `bad` is true, if any."""
    row = pc.index(bad, True).as_py()
    if row >= 0:
        raise BadValue(row, header, f"{_preview(column[row])!r} {problem}.", advice)


def _preview(value: pa.Scalar) -> str:
    """Return the first 40 characters of a value, for an error message."""
    try:
        return str(value.cast(pa.string()).as_py() or "")[:40]
    except (
        pa.ArrowInvalid,
        pa.ArrowNotImplementedError,
    ):  # not convertible to text
        return str(value)[:40]
