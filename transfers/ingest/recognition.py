"""Recognize the form of a file: by the names in its header, or by its values if it has none."""

from collections.abc import Sequence

import pyarrow as pa

from . import guesses
from .bad_values import BadValue
from .layout import BadColumns, Layout
from .mapping import Mapping, forms
from .names import Lists, Namer
from .records import Converter

type Lines = Sequence[Sequence[str]]


class UnknownForm(BadColumns):
    """The file is of no form that the project knows."""


def recognize(lines: Lines, mapping: Mapping | None = None, *, is_text: bool = True) -> Layout:
    """Return the layout of a file by its first lines and a mapping, or the form that fits best.

    BadColumns if the mapping, or every form, requires a column that the file does not have.
    """
    if mapping:
        layout = _nearest(mapping, lines)
        if layout.missing:
            raise BadColumns(*guesses.of_mapping(layout))
        return layout
    layouts = [_nearest(form, lines) for form in forms()]
    fitting = [layout for layout in layouts if not layout.missing and _is_of_form(layout)]
    if fitting:
        return max(fitting, key=lambda layout: len(layout.fills))
    by_values = [_by_values(form, lines) for form in forms() if is_text]
    if without_header := list(filter(None, by_values)):
        return without_header[0]
    if not any(lines[0]):
        number = guesses.header_number(lines)
        advice = f"The header seems to be on line {number}." if number else ""
        raise BadColumns("no column names.", advice, "line 1")
    nearest = max(layouts, key=lambda layout: len(layout.fills))
    raise UnknownForm(*guesses.of_forms(nearest, lines))


def _nearest(mapping: Mapping, lines: Lines) -> Layout:
    """Apply a mapping to each possible header line; return the layout that lacks fewest columns."""
    if mapping.path and mapping.without_header and mapping not in forms():
        return Layout.of(mapping, lines, 0)
    last = min(len(lines), 1 + mapping.lines_before_header)
    layouts = (Layout.of(mapping, lines, line) for line in range(1, last + 1))
    return min(layouts, key=lambda layout: len(layout.missing))


def _is_of_form(layout: Layout) -> bool:
    """Whether the form's own names fill most columns, and not AirSense's names."""
    own = sum(fill.is_own for fill in layout.fills.values())
    return not layout.mapping.columns or 2 * own < len(layout.fills)


def _by_values(form: Mapping, lines: Lines) -> Layout | None:
    """Return the layout of a file without a header, if the form accepts all its first values."""
    rows = [line for line in lines if line]
    width = len(form.without_header)
    if not rows or any(len(row) != width for row in rows):
        return None
    layout = Layout.of(form, lines, 0)
    columns = [[row[index] for row in rows] for index in layout.read]
    names = [str(index) for index in layout.read]
    batch = pa.record_batch([pa.array(column) for column in columns], names=names)
    try:
        Converter(layout, (), Namer(Lists({}, {}, {}))).convert(batch)
    except BadValue:
        return None
    return layout
