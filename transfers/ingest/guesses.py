"""Guess what is wrong with a file whose form is unknown, and which of its columns mean what."""

import difflib
from collections.abc import Sequence

from .layout import CODES, Layout, key
from .mapping import OWN, forms
from .raw_columns import COLUMNS

SEPARATORS = {";": '";"', "\t": "tabs", "|": '"|"'}
SIMILAR = 0.8  # of difflib: above it, two names are probably meant to be the same
EXPLAIN = "`manage.py ingest --explain FILE` writes a mapping file, which --columns reads."

type Message = tuple[str, str]  # what is wrong, and advice


def of_forms(nearest: Layout, lines: Sequence[Sequence[str]]) -> Message:
    """Say why a file is of no form: the nearest form, what it lacks, and what it looks like."""
    problem, columns = _missing(nearest), _columns(nearest)
    form = f" of the form {nearest.mapping.name!r}" if nearest.mapping.columns else ""
    hints = [_separator(lines[0]), *(_similar(nearest)), header_line(lines), EXPLAIN]
    return f"no column {problem}{form}.", " ".join([columns, *filter(None, hints)])


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
    return None


def best(names: Sequence[str]) -> dict[str, str]:
    """Guess which of a file's names fills each column of the raw table."""
    guessed: dict[str, str] = {}
    for name in names:
        if raw := column(name):
            guessed.setdefault(raw, name)
    rest = {key(name): name for name in names if name and name not in guessed.values()}
    for raw in COLUMNS:
        known = {raw.lower(), *(key(name) for form in forms() for name in form.names(raw))}
        near = (difflib.get_close_matches(name, rest, 1, SIMILAR) for name in sorted(known))
        if raw not in guessed and raw not in OWN and (match := next(filter(None, near), None)):
            guessed[raw] = rest.pop(match[0])
    return guessed


def _missing(layout: Layout) -> str:
    return ", ".join([_words(layout, raw) for raw in layout.missing])


def _words(layout: Layout, raw: str) -> str:
    """Return how a file of a form names a column."""
    names = layout.mapping.names(raw) or layout.mapping.names(CODES.get(raw, ""))
    return f"{names[0]} ({raw.replace('_', ' ')})" if names else raw.replace("_", " ")


def _columns(layout: Layout) -> str:
    return f"Its columns are {', '.join(filter(None, layout.headers))}."


def _separator(first: Sequence[str]) -> str:
    line = ",".join(first)
    mark = max(SEPARATORS, key=line.count)
    if line.count(mark) > line.count(","):
        return f"It seems to be separated by {SEPARATORS[mark]}: separate it by commas."
    return ""


def _similar(layout: Layout) -> list[str]:
    """Say which columns of the file look like missing ones."""
    guessed = best(layout.headers)
    wanted = [name for raw in layout.missing for name in (raw, CODES.get(raw, raw))]
    pairs = {raw: guessed[raw] for raw in wanted if raw in guessed}
    return [f"{name} looks like {raw.replace('_', ' ')}." for raw, name in pairs.items()]


def header_line(lines: Sequence[Sequence[str]]) -> str:
    """Say on which later line a header of a form seems to be."""
    for number, line in enumerate(lines[1:], 2):
        layouts = (Layout.of(form, [line]) for form in forms())
        if any(not layout.missing for layout in layouts):
            return f"The header seems to be on line {number}: remove the lines before it."
    return ""
