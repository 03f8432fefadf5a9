"""A mapping says which columns of a file fill the columns of the raw table.

It is a TOML file. The folder `forms` has one for each common form of flight records;
`ingest --explain` writes one for an unknown form, and `--columns` reads it.
"""

import tomllib
from collections.abc import Mapping as Items
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from transfers.exceptions import BadInput

from . import date_formats
from .raw_columns import COLUMNS

FORMS = Path(__file__).with_name("forms")
ADVICE = "docs/data-sources.md describes mapping files."
KINDS: dict[str, Any] = {
    "name": str,
    "end_of_rows": str,
    "lines_before_header": int,
    "keep_other_columns": bool,
}  # the types of options; all other options are lists
WORDS = {str: "a text", int: "a number", bool: "true or false", list: "a list"}
# Columns that ingest fills itself: no column of a file does.
OWN = ("Has_Arrivals",)


@dataclass(frozen=True)
class DateParts:
    """A date in three columns of the file."""

    year: str
    month: str
    day: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.year, self.month, self.day)


@dataclass(frozen=True)
class Value:
    """The same value in every row."""

    value: str


@dataclass(frozen=True)
class Line:
    """A value in a line before the header: the rest of the line that begins with `line`.

    If the line ends with brackets, as in "Airline: Southwest (WN)", the value is the text in them.
    """

    line: str


type Origin = str | DateParts | Value | Line


@dataclass(frozen=True)
class Mapping:
    """How to read one form of flight records."""

    name: str
    columns: Items[str, tuple[Origin, ...]]  # alternatives, the first one in a file is used
    required: tuple[str, ...] = ()  # without these, the file is refused
    date_formats: tuple[str, ...] = ("YYYY-MM-DD",)
    without_header: tuple[str, ...] = ()  # the columns of a file that has no header
    lines_before_header: int = 0  # at most
    end_of_rows: str = ""  # how the first line after the rows begins
    zero_is_missing: tuple[tuple[str, ...], ...] = ()
    keep_other_columns: bool = False
    path: Path | None = field(default=None, compare=False)

    def names(self, column: str) -> list[str]:
        """Return the names in a file that fill a column of the raw table, the best one first."""
        return [name for name in self.columns.get(column, ()) if isinstance(name, str)]


def read(path: Path) -> Mapping:
    """Read a mapping file; BadInput if it breaks a rule."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BadInput(f"cannot be read: {why.rstrip('.')}.", file=str(path)) from None
    try:
        return _mapping(path, content)
    except ValueError as error:
        raise BadInput(str(error), file=str(path), advice=ADVICE) from None


@cache
def forms() -> tuple[Mapping, ...]:
    """Return the mappings in the folder `forms`; that of AirSense's own columns comes first."""
    return tuple(map(read, sorted(FORMS.glob("*.toml"))))


def _mapping(path: Path, content: dict[str, Any]) -> Mapping:
    options = {item.name for item in fields(Mapping)} - {"path"}
    if unknown := sorted(content.keys() - options):
        raise ValueError(f"unknown option {unknown[0]}. Options are {', '.join(sorted(options))}.")
    columns = {
        _column(name): tuple(_origin(name, item) for item in _list(value))
        for name, value in _table("columns", content.get("columns", {})).items()
    }
    values = {name: _option(name, value) for name, value in content.items() if name != "columns"}
    values.setdefault("name", path.name)
    values.setdefault("required", tuple(columns))
    return Mapping(columns=columns, path=path, **values)


def _option(name: str, value: Any) -> Any:
    """Check the type and the content of an option; return its value."""
    if not isinstance(value, KINDS.get(name, list)):
        raise ValueError(f"{name} is {WORDS[KINDS.get(name, list)]}, not {value!r}.")
    match name:
        case "required":
            return tuple(map(_column, value))
        case "zero_is_missing":
            return tuple(tuple(map(_number_column, _list(group))) for group in value)
        case "date_formats":
            return tuple(map(date_formats.check, value))
        case "without_header":
            return tuple(map(str, value))
    return value


def _origin(column: str, item: Any) -> Origin:
    match item:
        case str():
            return item
        case {"year": str(year), "month": str(month), "day": str(day), **rest} if not rest:
            if column == "Flight_Date":
                return DateParts(year, month, day)
        case {"value": str(value), **rest} if not rest:
            return Value(value)
        case {"line": str(line), **rest} if not rest:
            return Line(line)
    allowed = 'a name, { year = "...", month = "...", day = "..." } for Flight_Date,'
    raise ValueError(
        f'{column} is {item!r}. Allowed are {allowed} {{ value = "..." }} and {{ line = "..." }}.'
    )


def _column(name: Any) -> str:
    if name not in COLUMNS or name in OWN:
        names = ", ".join(column for column in COLUMNS if column not in OWN)
        raise ValueError(f"{name} is not a column of the raw records. These are {names}.")
    return str(name)


def _number_column(name: Any) -> str:
    if not _column(name).endswith(("_Minutes", "_Miles")):
        raise ValueError(f"zero_is_missing is for minutes and miles, not for {name}.")
    return str(name)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is a table, not {value!r}.")
    return value
