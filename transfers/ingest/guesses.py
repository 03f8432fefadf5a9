"""Guess what is wrong with a file whose form is unknown, and what its columns mean."""

import difflib
from collections.abc import Sequence

from .layout import CODES, Layout, key
from .mapping import OWN, forms
from .raw_columns import COLUMNS

SEPARATORS = {";": '";"', "\t": "tabs", "|": '"|"'}
# Further names of columns, which no form has.
SYNONYMS = {
    "Airline_Code": ["airline_iata", "carrier_code"],
    "Origin": ["from", "departure_airport", "dep_airport"],
    "Destination": ["to", "arrival_airport", "arr_airport"],
}
SIMILAR = 0.8  # of difflib: above it, two names are probably meant to be the same
EXPLAIN = "`manage.py ingest --explain FILE` writes a mapping file, which --columns reads."

type Message = tuple[str, str]  # what is wrong, and advice


def of_forms(nearest: Layout, lines: Sequence[Sequence[str]]) -> Message:
    """Say why no form fits: the columns that the nearest form lacks, and hints."""
    if number := header_number(lines):
        problem = f"the header seems to be on line {number}."
        return problem, f"Remove the lines before it, or use a mapping file: {EXPLAIN}"
    form = f" of the form {nearest.mapping.name!r}" if nearest.mapping.columns else ""
    hints = [_columns(nearest), *_similar(nearest), separator(lines[0]) or EXPLAIN]
    return f"no column {_missing(nearest)}{form}.", " ".join(hints)


def of_mapping(layout: Layout) -> Message:
    """Say which columns of a mapping file a file does not have."""
    hints = [_columns(layout), *_similar(layout), f"Correct {layout.mapping.path}."]
    return f"no column {_missing(layout)}.", " ".join(hints)


def column(name: str) -> str | None:
    """Return the column of the raw table that a form fills by this name."""
    for form in forms():
        for raw in COLUMNS:
            if raw not in OWN and key(name) in {raw.lower(), *map(key, form.names(raw))}:
                return raw
    return next((raw for raw, names in SYNONYMS.items() if key(name) in names), None)


def best(names: Sequence[str]) -> dict[str, str]:
    """Guess which of a file's names fills each column of the raw table; {column: name}."""
    guessed: dict[str, str] = {}
    for name in names:
        if raw := column(name):
            guessed.setdefault(raw, name)
    rest = {key(name): name for name in names if name and name not in guessed.values()}
    for raw in COLUMNS:
        keys = {raw.lower(), *(key(name) for form in forms() for name in form.names(raw))}
        near = (difflib.get_close_matches(name, rest, 1, SIMILAR) for name in sorted(keys))
        if raw not in guessed and raw not in OWN and (match := next(filter(None, near), None)):
            guessed[raw] = rest.pop(match[0])
    return guessed


def _missing(layout: Layout) -> str:
    return ", ".join([_words(layout, raw) for raw in layout.missing])


def _words(layout: Layout, raw: str) -> str:
    """Return the name of a column of the raw table in files of this layout's form."""
    names = layout.mapping.names(raw) or layout.mapping.names(CODES.get(raw, ""))
    return f"{names[0]} ({raw.replace('_', ' ')})" if names else raw.replace("_", " ")


def _columns(layout: Layout) -> str:
    return f"Its columns are {', '.join(filter(None, layout.headers))}."


def separator(first: Sequence[str]) -> str:
    line = ",".join(first)
    mark = max(SEPARATORS, key=line.count)
    if line.count(mark) > line.count(","):
        return f"It seems to be separated by {SEPARATORS[mark]}: separate it by commas."
    return ""


def _similar(layout: Layout) -> list[str]:
    """Say which columns of the file look like missing ones."""
    guessed = best(layout.headers)
    candidates = [name for raw in layout.missing for name in (raw, CODES.get(raw, raw))]
    pairs = {raw: guessed[raw] for raw in candidates if raw in guessed}
    return [f"{name} looks like {raw.replace('_', ' ')}." for raw, name in pairs.items()]


def header_number(lines: Sequence[Sequence[str]]) -> int:
    """Return the number of a later line with a header of a form, or 0."""
    for number, line in enumerate(lines[1:], 2):
        layouts = (Layout.of(form, [line]) for form in forms())
        if any(not layout.missing for layout in layouts):
            return number
    return 0


def date_parts(names: Sequence[str]) -> list[str]:
    """Return the columns with year, month and day, if the file has all of them."""
    spellings = ({"year"}, {"month"}, {"day", "dayofmonth", "day_of_month"})
    parts = [next((n for n in names if key(n) in some), "") for some in spellings]
    return parts if all(parts) else []
