"""Write a mapping file for an unknown form, with guesses for people to correct."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from . import guesses, values
from .bad_values import BadValue
from .mapping import OWN
from .raw_columns import COLUMNS

FORMATS = ("YYYY-MM-DD", "M/D/YYYY", "D/M/YYYY", "D.M.YYYY", "YYYY/M/D", "YYYYMMDD")
# What people may fill in for each column, where its name does not say it.
CONTENTS = {
    "Flight_Date": 'local date; or { year = "...", month = "...", day = "..." }',
    "Airline_Name": "without it, the name is derived from Airline_Code",
    "Origin_City": "without it, the city is derived from Origin",
    "Destination_City": "without it, the city is derived from Destination",
    "Departure_Delay_Minutes": "negative when early; empty if the flight did not depart",
    "Arrival_Delay_Minutes": "negative when early; empty if the flight did not arrive",
    "Origin": "code of the airport",
    "Destination": "code of the airport",
    "Scheduled_Departure": "local time, hhmm or HH:MM",
    "Scheduled_Arrival": "local time, hhmm or HH:MM",
    "Cancelled": "0 or 1",
    "Diverted": "0 or 1",
    "Cancellation_Reason": "A to D: carrier, weather, national aviation system, security",
}
HEAD = """\
# Which columns of {file} fill the columns of AirSense's flight records.
#
# The lines below are guesses. Correct them by the list of the file's columns at the end, remove
# the "#" before what you fill in, and put a "#" before what the file does not have. Then run:
#
#     manage.py ingest --columns {mapping} {file}
#
# Required are a date, the delay at departure, and an airline and two airports or cities. Write
# { value = "..." } for the same value in every row. docs/data-sources.md describes more.
"""


@dataclass(frozen=True)
class Sample:
    """The first lines of a file whose form is unknown."""

    names: Sequence[str]  # of its columns
    rows: Sequence[Sequence[str]]
    header_line: int  # 0: the file has no header

    @classmethod
    def of(cls, lines: Sequence[Sequence[str]]) -> "Sample":
        """Find the header among the lines; a file without one gets names by number."""
        line = guesses.header_number(lines) or 1
        names = lines[line - 1]
        if not guesses.best(names) and any(_is_number(name) for name in names):
            numbered = [f"column {number}" for number in range(1, len(names) + 1)]
            return cls(numbered, lines, 0)
        return cls(names, lines[line:], line)

    def column(self, name: str) -> list[str]:
        """Return the values of a column in the first lines."""
        index = self.names.index(name)
        return [row[index] for row in self.rows if len(row) > index]


def text(sample: Sample, file: str, mapping: str) -> str:
    """Return the content of a mapping file."""
    head = HEAD.replace("{file}", _plain(file)).replace("{mapping}", _plain(mapping))
    lines = [head, *_options(sample, file), "", "[columns]", *_columns(sample), ""]
    lines += ["# The file's columns, each with its first value:", *_list(sample), ""]
    return "\n".join(lines)


def _options(sample: Sample, file: str) -> Iterator[str]:
    yield f"name = {_quoted(file)}"
    yield f"date_formats = [{_quoted(_format(sample))}] # YYYY, MM or M, DD or D"
    yield "keep_other_columns = false # true: store the file's other columns, too"
    if not sample.header_line:
        yield f"without_header = [{', '.join(map(_quoted, sample.names))}]"
    if sample.header_line > 1:
        yield f"lines_before_header = {sample.header_line - 1} # at most"


def _columns(sample: Sample) -> Iterator[str]:
    guessed = guesses.best(sample.names)
    parts = guesses.date_parts(sample.names)
    if day := _by_values(sample):
        guessed.setdefault("Flight_Date", day)
    for column in COLUMNS:
        content = f" # {CONTENTS[column]}" if column in CONTENTS else ""
        if column in OWN:
            continue
        if column in guessed:
            yield f"{column} = {_quoted(guessed[column])}{content}"
        elif column == "Flight_Date" and parts:
            pairs = zip(("year", "month", "day"), map(_quoted, parts), strict=True)
            yield f"{column} = {{ {', '.join(f'{key} = {name}' for key, name in pairs)} }}"
        else:
            yield f'# {column} = ""{content}'


def _list(sample: Sample) -> Iterator[str]:
    for name in sample.names:
        first = (sample.column(name) or [""])[0]
        yield f"#   {_quoted(name)}: {_quoted(first[:60])}"


def _by_values(sample: Sample) -> str | None:
    """Return the first column whose values are all dates."""
    return next((name for name in sample.names if name and _format_of(sample, name)), None)


def _format(sample: Sample) -> str:
    name = guesses.best(sample.names).get("Flight_Date") or _by_values(sample)
    return (name and _format_of(sample, name)) or FORMATS[0]


def _format_of(sample: Sample, name: str) -> str | None:
    """Return the first format that fits all values of a column."""
    texts = pa.array(sample.column(name), pa.string())
    return next((format_ for format_ in FORMATS if len(texts) and _fits(texts, format_)), None)


def _fits(texts: pa.Array, format_: str) -> bool:
    try:
        values.dates(texts, "", [format_])
    except BadValue:
        return False
    return True


def _is_number(value: str) -> bool:
    return value.lstrip("-").replace(".", "", 1).isdigit()


def _plain(name: str) -> str:
    """Return a name without line breaks and other characters that a TOML comment cannot have."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())


def _quoted(name: str) -> str:
    """Return a TOML string."""
    return json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007F")
