"""Find which columns of a file fill the columns of the raw table, by a mapping.

A column of the raw table is filled by the file's column of the same name, else by the mapping's
first alternative that the file has. Names of an airline and of cities are derived from codes.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from django.conf import settings

from .mapping import OWN, DateParts, Line, Mapping, Origin, Value
from .raw_columns import COLUMNS

# Characters that Delta tables do not allow in column names. Each becomes a "_":
# https://docs.databricks.com/aws/en/delta/column-mapping
FORBIDDEN_IN_NAMES = re.compile(r"[ ,;{}()\n\t=]")
# The code from which each name is derived where a file does not have the name.
CODES = {
    "Airline_Name": "Airline_Code",
    "Origin_City": "Origin",
    "Destination_City": "Destination",
}
# Columns that every file must fill, by itself or (names and cities) from codes.
ALWAYS = ("Flight_Date", *CODES, "Departure_Delay_Minutes")


class BadColumns(Exception):
    """A problem with the names or types of a file's columns; `advice` says how to solve it."""

    def __init__(self, problem: str, advice: str, place: str = "") -> None:
        super().__init__(problem)
        self.advice, self.place = advice, place


@dataclass(frozen=True)
class Fill:
    """What fills one column of the raw table: columns of the file, or the same value everywhere."""

    columns: tuple[int, ...] = ()  # indexes: one, or those of year, month and day
    value: str = ""
    is_own: bool = False  # whether the file's column has the raw table's name


@dataclass(frozen=True)
class Layout:
    """The columns of a file, and what fills each column of the raw table."""

    mapping: Mapping
    headers: tuple[str, ...]  # as in the file, in one line each
    fills: dict[str, Fill]
    header_line: int = 1  # 0: the file has no header

    @classmethod
    def of(cls, mapping: Mapping, lines: Sequence[Sequence[str]], header_line: int = 1) -> Self:
        """Apply a mapping to the first lines of a file."""
        names = lines[header_line - 1] if header_line else mapping.without_header
        indexes: dict[str, int] = {}
        for index, name in enumerate(names):
            indexes.setdefault(key(name), index)
        before = [",".join(line) for line in lines[: max(0, header_line - 1)]]
        fills = dict(_fills(mapping, indexes, before))
        return cls(mapping, _one_line(names), fills, header_line)

    @cached_property
    def missing(self) -> list[str]:
        """The columns of the raw table without which the file is refused."""
        required = dict.fromkeys([*ALWAYS, *self.mapping.required])
        return [column for column in required if column not in self.fills | self.derived]

    @cached_property
    def derived(self) -> dict[str, str]:
        """The names that are derived, and the columns with their codes."""
        return {
            name: code
            for name, code in CODES.items()
            if name not in self.fills and code in self.fills
        }

    @cached_property
    def others(self) -> dict[int, str]:
        """The indexes of the file's other columns that are kept, and their names in the raw table.

        A column without a name is among them: it may have no values.
        """
        used = {index for fill in self.fills.values() for index in fill.columns}
        names = {index: clean(name) for index, name in enumerate(self.headers)}
        return {
            index: name
            for index, name in names.items()
            if index not in used
            and name not in OWN
            and (self.mapping.keep_other_columns or not name)
        }

    @cached_property
    def read(self) -> list[int]:
        """The indexes of the columns that are read."""
        used = {index for fill in self.fills.values() for index in fill.columns}
        return sorted(used | self.others.keys())

    @property
    def unused(self) -> list[str]:
        """The names of the file's columns that are not read."""
        return [name for index, name in enumerate(self.headers) if index not in self.read]

    def is_of(self, header: Sequence[str]) -> bool:
        """Whether a header has the layout's columns."""
        return _one_line(header) == self.headers

    def label(self, column: str) -> str:
        """Return the names of the file's columns that fill a column of the raw table."""
        return ", ".join(self.headers[index] for index in self.fills[column].columns)

    def check(self) -> None:
        """Raise BadColumns if there are too many columns, or two for one of the raw table."""
        if len(self.headers) > settings.INGEST_COLUMNS:
            problem = f"{len(self.headers):,} columns; at most {settings.INGEST_COLUMNS:,}"
            raise BadColumns(f"{problem} are allowed.", "Remove some, or raise INGEST_COLUMNS.")
        first: dict[str, int] = {}
        for index in self.read:
            name = clean(self.headers[index])
            first.setdefault(name.lower(), index)
        for index, header in enumerate(self.headers):
            name = clean(header)
            other = first.get(name.lower(), index)
            if name and other != index:
                pair = f"{self.headers[other]!r} and {header!r}"
                raise BadColumns(
                    f"columns {pair} both become {name}.", "Rename or remove one of them."
                )


def _one_line(names: Sequence[str]) -> tuple[str, ...]:
    """Remove line breaks and tabs from names: messages have one line."""
    return tuple(" ".join(name.split()) for name in names)


def clean(header: str) -> str:
    """Return the raw table's name for a header; names in COLUMNS get the spelling there."""
    name = FORBIDDEN_IN_NAMES.sub("_", unicodedata.normalize("NFC", header).strip())
    return _OWN_NAMES.get(name.lower(), name)


def key(header: str) -> str:
    """Return the form in which names are compared: lower case, "_" for spaces and brackets."""
    return clean(header).lower()


def _fills(
    mapping: Mapping, indexes: dict[str, int], before: Sequence[str]
) -> Iterator[tuple[str, Fill]]:
    for column in COLUMNS:
        if column in OWN:
            continue
        names = [key(name) for name in mapping.names(column)]
        if (index := indexes.get(column.lower())) is not None:
            yield column, Fill((index,), is_own=column.lower() not in names)
            continue
        fills = (_fill(origin, indexes, before) for origin in mapping.columns.get(column, ()))
        if fill := next(filter(None, fills), None):
            yield column, fill


def _fill(origin: Origin, indexes: dict[str, int], before: Sequence[str]) -> Fill | None:
    """Return the fill for one alternative of a mapping; None if the file does not have it."""
    match origin:
        case Value(value):
            return Fill(value=value)
        case Line(start):
            lines = (line.strip() for line in before)
            text = next((line for line in lines if line.startswith(start)), "")
            match = re.search(r"\(([^()]*)\)$", text)
            value = match[1] if match else text.removeprefix(start).strip()
            return Fill(value=value) if value else None
    names = origin.names if isinstance(origin, DateParts) else (origin,)
    places = [indexes.get(key(name)) for name in names]
    existing = tuple(place for place in places if place is not None)
    return Fill(existing) if len(existing) == len(places) else None


_OWN_NAMES = {name.lower(): name for name in COLUMNS}
