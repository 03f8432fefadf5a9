"""Read lists of airlines and airports: the DOT's lookup tables, and those on Kaggle.

The DOT's have the columns "Code,Description". The description of an airline may end with the years
in which it had the code, "Comair Inc. (1989 - 2012)"; that of an airport begins with its city,
"Atlanta, GA: Hartsfield-Jackson". Kaggle's have the columns IATA_CODE, and AIRLINE or CITY, STATE.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from transfers.exceptions import BadInput

YEARS = re.compile(
    r"^(?P<name>.*\S)\s*\((?P<first>[12][0-9]{3})\s*-\s*(?P<last>[12][0-9]{3})?\s*\)$"
)
ADVICE = 'Use a lookup table of the DOT, with the columns "Code,Description".'
MAX_BYTES = 16 << 20  # the DOT's longest list has 0.4 MB
# A file with all columns of one of these sets is a list; flight records have other columns.
HEADERS = ({"code", "description"}, {"iata_code", "airline"}, {"iata_code", "city", "state"})


def is_list(header: Sequence[str]) -> bool:
    """Whether a file with these columns is a list and not flight records."""
    return any(columns <= {name.strip().lower() for name in header} for columns in HEADERS)


def check(path: Path) -> None:
    """Raise BadInput if a file is not a list, or has no codes."""
    if not [_code(path, place, row) for place, row in _rows(path)]:
        raise BadInput("it has no codes.", file=str(path), advice=ADVICE)


def airlines(path: Path) -> dict[str, list[tuple[date, date, str]]]:
    """Return the airlines of each code, as (first date, last date, name)."""
    periods: dict[str, list[tuple[date, date, str]]] = {}
    for place, row in _rows(path):
        text = row.get("description") or row.get("airline") or ""
        match = YEARS.match(text)
        first = date(int(match["first"]), 1, 1) if match else date.min
        last = date(int(match["last"]), 12, 31) if match and match["last"] else date.max
        name = match["name"] if match else text
        periods.setdefault(_code(path, place, row), []).append((first, last, name))
    return periods


def cities(path: Path) -> dict[str, str]:
    """Return the city of each airport."""
    return {
        _code(path, place, row): row.get("description", "").partition(":")[0].strip()
        or f"{row.get('city', '')}, {row.get('state', '')}"
        for place, row in _rows(path)
    }


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the place and the values of each row by lower-case name of the column."""
    header, *rows = _lines(path) or [[]]
    names = [name.strip().lower() for name in header]
    if not is_list(header):
        problem = f"its columns are {', '.join(header) or 'none'}."
        raise BadInput(problem, file=str(path), place="line 1", advice=ADVICE)
    for number, row in enumerate(rows, 2):
        if row and len(row) < len(names):
            problem = f"{len(row)} values, but the header names {len(names)} columns."
            raise BadInput(problem, file=str(path), place=f"line {number}", advice=ADVICE)
        if row:
            values = (value.strip() for value in row)
            yield f"line {number}", dict(zip(names, values, strict=False))


def _lines(path: Path) -> list[list[str]]:
    """Return the values of each line."""
    try:
        return list(csv.reader(io.StringIO(_text(path), newline=None)))
    except csv.Error as error:  # a value longer than 131,072 characters
        raise BadInput(f"not a lookup table: {error}.", file=str(path), advice=ADVICE) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}.", file=str(path)) from None
    if len(content) > MAX_BYTES or b"\0" in content:
        raise BadInput("not a lookup table.", file=str(path), advice=ADVICE)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _code(path: Path, place: str, row: dict[str, str]) -> str:
    if code := row.get("code") or row.get("iata_code"):
        return code
    raise BadInput("no code.", file=str(path), place=place, column="Code", advice=ADVICE)
