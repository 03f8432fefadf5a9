"""What a raw flight record must look like, whatever file it comes in."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from .exceptions import BadInput

REQUIRED = {
    "Flight_Date": pa.date32(),
    "Airline_Name": pa.string(),
    "Origin_City": pa.string(),
    "Destination_City": pa.string(),
    "Departure_Delay_Minutes": pa.int32(),
    "Arrival_Delay_Minutes": pa.int32(),
}

# Characters that Delta tables refuse in names; the original, too, made each of them a "_".
NOT_IN_NAMES = re.compile(r"[ ,;{}()\n\t=]")

DATE = r"^(?P<value>[1-9]\d{3}-\d\d-\d\d)(?:[ T]00:00:00(?:\.0+)?)?$"
DATE_ADVICE = "Write it as YYYY-MM-DD."
MINUTES = r"^(?P<value>-?\d+)(?:\.0+)?$"
MINUTES_ADVICE = "Give whole minutes, or leave it empty (or NA) for a cancelled flight."
TEXT_ADVICE = "Every record names its airline and both cities."
NAME_ADVICE = "Name the column in the header, or remove it."


class BadColumns(Exception):
    """What is wrong with the names or types of a file's columns, and what is allowed."""

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.advice = advice


class BadValue(Exception):
    """The first value of a batch that breaks a rule; rows count from 0."""

    def __init__(self, row: int, column: str, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.row, self.column, self.advice = row, column, advice

    def at(self, path: Path, place: str) -> BadInput:
        return BadInput(
            str(self), file=str(path), place=place, column=self.column, advice=self.advice
        )


@dataclass(frozen=True)
class RecordFile:
    """An open file of records."""

    schema: pa.Schema  # the raw table's
    batches: Iterator[pa.RecordBatch]  # of that schema; BadInput for what breaks a rule
    share: Callable[[int], float]  # how much of the file (0 to 1) so many rows are


@dataclass(frozen=True)
class Layout:
    """The columns of a file, as the file spells them and as the raw table does ("": dropped)."""

    given: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, given: Sequence[str]) -> Self:
        """BadColumns where one of the six is missing, or two columns become one."""
        shown = (" ".join(name.split()) for name in given)  # messages are of one line
        layout = cls(tuple(shown), tuple(_name(name) for name in given))
        layout._refuse_clashes()
        there = {name.lower() for name in layout.names}
        if missing := [name for name in REQUIRED if name.lower() not in there]:
            names = ", ".join(name.replace("_", " ") for name in missing)
            has = ", ".join(filter(None, layout.given))
            raise BadColumns(f"no column {names}.", f"Its columns are {has}.")
        return layout

    def schema(self, types: Sequence[pa.DataType]) -> pa.Schema:
        """The raw table's columns, from the types of the file's."""
        fields = zip(self.names, types, strict=True)
        return pa.schema([(n, REQUIRED.get(n) or _plain(type_)) for n, type_ in fields if n])

    def typed(self, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        """The rows as the raw table has them; BadValue names the first that cannot be."""
        columns, wrong = [], []
        for given, name, column in zip(self.given, self.names, batch.columns, strict=True):
            try:
                if not name:
                    _nothing(column)
                else:
                    columns.append(_typed(column, schema.field(name), given))
            except BadValue as error:
                wrong.append(error)
        if wrong:
            first = min(wrong, key=lambda error: error.row)
            self.typed(batch.slice(0, first.row), schema)  # may break another rule of its column
            raise first
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _refuse_clashes(self) -> None:
        first: dict[str, int] = {}
        for index, name in enumerate(self.names):
            other = first.setdefault(name.lower(), index)
            if name and other != index:
                pair = f"{self.given[other]!r} and {self.given[index]!r}"
                raise BadColumns(
                    f"columns {pair} both become {name}.", "Rename or remove one of them."
                )


def _name(given: str) -> str:
    clean = NOT_IN_NAMES.sub("_", given.strip())
    return {name.lower(): name for name in REQUIRED}.get(clean.lower(), clean)


def _plain(type_: pa.DataType) -> pa.DataType:
    """The type of a further column: its own, but for those that vary from batch to batch."""
    if pa.types.is_dictionary(type_):
        return type_.value_type
    return pa.string() if pa.types.is_null(type_) else type_


def _typed(column: pa.Array, field: pa.Field, given: str) -> pa.Array:
    if field.name not in REQUIRED:
        return column.cast(field.type)
    try:
        text = column.cast(pa.string())
    except pa.ArrowNotImplementedError:
        raise BadColumns(f"column {given} is {column.type}.", "Text or numbers are read.") from None
    rules = {pa.date32(): _dates, pa.string(): _names, pa.int32(): _minutes}
    return rules[field.type](text, given)


def _nothing(column: pa.Array) -> None:
    _refuse(column, pc.is_valid(column), "", "is in a column without a name", NAME_ADVICE)


def _names(text: pa.Array, given: str) -> pa.Array:
    filled = pc.fill_null(text, "")
    blank = pc.equal(pc.utf8_trim_whitespace(filled), "")
    _refuse(text, blank, given, "is empty", TEXT_ADVICE)
    _refuse(text, pc.match_substring(filled, "\0"), given, "holds a NUL character", "Remove it.")
    return text


def _dates(text: pa.Array, given: str) -> pa.Array:
    dates = pc.struct_field(pc.extract_regex(pc.utf8_trim_whitespace(text), DATE), "value")
    _refuse(text, pc.is_null(dates), given, "is not a date", DATE_ADVICE)
    return _cast(dates, pa.date32(), given, "is not in the calendar", DATE_ADVICE)


def _minutes(text: pa.Array, given: str) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(text)
    some = pc.invert(pc.is_in(trimmed, pa.array(["", "NA", None])))
    minutes = pc.struct_field(pc.extract_regex(trimmed, MINUTES), "value")
    bad = pc.and_(some, pc.is_null(minutes))
    _refuse(text, bad, given, "is not a number of minutes", MINUTES_ADVICE)
    return _cast(minutes, pa.int32(), given, "is out of range", MINUTES_ADVICE)


def _cast(text: pa.Array, type_: pa.DataType, given: str, problem: str, advice: str) -> pa.Array:
    try:
        return text.cast(type_)
    except pa.ArrowInvalid:
        bad = pa.array([not _fits(value, type_) for value in text])
        _refuse(text, bad, given, problem, advice)
        raise


def _fits(value: pa.Scalar, type_: pa.DataType) -> bool:
    try:
        value.cast(type_)
    except pa.ArrowInvalid:
        return False
    return True


def _refuse(column: pa.Array, bad: pa.Array, given: str, problem: str, advice: str) -> None:
    row = pc.index(bad, True).as_py()
    if row >= 0:
        value = str(column[row].as_py() or "")[:40]
        raise BadValue(row, given, f"{value!r} {problem}.", advice)
