"""What a raw flight record must look like, whatever file it comes in."""

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
EXACT_ADVICE = "Store it with less precision, or as text."
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
class Rows:
    """Some rows of a file as it has them, and where each of them is: "line 7", "row 7"."""

    batch: pa.RecordBatch
    place: Callable[[int], str]


@dataclass(frozen=True)
class Source:
    """An open file, whatever its columns are."""

    names: Sequence[str]
    types: Sequence[pa.DataType]
    rows: Iterator[Rows]  # BadInput for what the kind of file does not allow
    share: Callable[[int], float]  # how much of the file (0 to 1) so many rows are


@dataclass(frozen=True)
class Layout:
    """The columns of a file, as the file spells them and as the raw table does ("": dropped)."""

    given: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, given: Sequence[str]) -> Self:
        """BadColumns where one of the six is missing, or two columns become one."""
        if len(given) > settings.INGEST_COLUMNS:
            problem = f"{len(given):,} columns, more than the {settings.INGEST_COLUMNS:,} allowed."
            raise BadColumns(problem, "Remove some, or raise INGEST_COLUMNS.")
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
        """The raw table's columns, from the types of the file's; BadColumns for a wrong type."""
        columns = zip(self.given, self.names, types, strict=True)
        return pa.schema(
            [(name, _type(given, name, type_)) for given, name, type_ in columns if name]
        )

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
    clean = NOT_IN_NAMES.sub("_", unicodedata.normalize("NFC", given).strip())
    return {name.lower(): name for name in REQUIRED}.get(clean.lower(), clean)


def _type(given: str, name: str, type_: pa.DataType) -> pa.DataType:
    if required := REQUIRED.get(name):
        if arrow_types.is_readable(type_, required):
            return required
        words = arrow_types.REQUIRED_FROM[required][1]
        raise BadColumns(f"column {given} is of type {type_}.", f"Store it as {words}.")
    if kept := arrow_types.kept(type_):
        return kept
    advice = f"Remove it, or store it as {arrow_types.KEPT_WORDS}."
    raise BadColumns(f"column {given} is of type {type_}.", advice)


def _typed(column: pa.Array, field: pa.Field, given: str) -> pa.Array:
    if field.name in REQUIRED:
        rules = {pa.date32(): _dates, pa.string(): _names, pa.int32(): _minutes}
        return rules[field.type](column, given)
    if field.type == pa.string():
        return _nfc(column.cast(pa.string()))
    return _cast(column, field.type, given, f"does not fit {field.type} exactly", EXACT_ADVICE)


def _nfc(text: pa.Array) -> pa.Array:
    """Each text in Unicode's composed form, so that what looks the same is the same."""
    return text if pc.all(pc.string_is_ascii(text)).as_py() else pc.utf8_normalize(text, "NFC")


def _nothing(column: pa.Array) -> None:
    _refuse(column, pc.is_valid(column), "", "is in a column without a name", NAME_ADVICE)


def _names(column: pa.Array, given: str) -> pa.Array:
    text = _nfc(pc.utf8_trim_whitespace(column.cast(pa.string())))
    filled = pc.fill_null(text, "")
    _refuse(column, pc.equal(filled, ""), given, "is empty", TEXT_ADVICE)
    _refuse(column, pc.match_substring(filled, "\0"), given, "holds a NUL character", "Remove it.")
    return text


def _dates(column: pa.Array, given: str) -> pa.Array:
    text = column.cast(pa.string())
    dates = pc.struct_field(pc.extract_regex(pc.utf8_trim_whitespace(text), DATE), "value")
    _refuse(column, pc.is_null(dates), given, "is not a date", DATE_ADVICE)
    return _cast(dates, pa.date32(), given, "is not in the calendar", DATE_ADVICE)


def _minutes(column: pa.Array, given: str) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(_whole_minutes(column, given).cast(pa.string()))
    some = pc.invert(pc.is_in(trimmed, pa.array(["", "NA", None])))
    minutes = pc.struct_field(pc.extract_regex(trimmed, MINUTES), "value")
    bad = pc.and_(some, pc.is_null(minutes))
    _refuse(column, bad, given, "is not a number of minutes", MINUTES_ADVICE)
    return _cast(minutes, pa.int32(), given, "is out of range", MINUTES_ADVICE)


def _whole_minutes(column: pa.Array, given: str) -> pa.Array:
    """The minutes of durations; other columns have minutes already."""
    if not pa.types.is_duration(column.type):
        return column
    ticks, minute = column.cast(pa.int64()), arrow_types.MINUTE[column.type.unit]
    minutes = pc.divide(ticks, minute)
    bad = pc.not_equal(pc.multiply(minutes, minute), ticks)
    problem = f"{column.type.unit} is not a whole number of minutes"
    _refuse(ticks, bad, given, problem, MINUTES_ADVICE)
    return minutes


def _cast(column: pa.Array, type_: pa.DataType, given: str, problem: str, advice: str) -> pa.Array:
    try:
        return column.cast(type_)
    except pa.ArrowInvalid:
        bad = pa.array([not _fits(value, type_) for value in column])
        _refuse(column, bad, given, problem, advice)
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
        raise BadValue(row, given, f"{_shown(column[row])!r} {problem}.", advice)


def _shown(value: pa.Scalar) -> str:
    try:
        return str(value.cast(pa.string()).as_py() or "")[:40]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # no text
        return str(value)[:40]
