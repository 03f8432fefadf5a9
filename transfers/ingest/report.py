"""The report on how files are ingested, in lines for people."""

from collections.abc import Iterator, Mapping, Sequence

from .inputs import Part
from .layout import Layout
from .mapping import OWN
from .raw_columns import COLUMNS

EXAMPLES = 3  # names of files, and of columns that are not used
WIDTH = max(map(len, COLUMNS)) + 2


def lines(layouts: Mapping[Part, Layout], not_read: Sequence[Part]) -> list[str]:
    """Return one block for all files with the same layout, and the files that are not read."""
    groups: list[tuple[Layout, list[Part]]] = []
    for part, layout in layouts.items():
        same = next((parts for other, parts in groups if other == layout), None)
        if same is None:
            groups.append((layout, [part]))
        else:
            same.append(part)
    blocks = [line for layout, parts in groups for line in _block(layout, parts)]
    lists = [
        f"{part.name}: a list of codes, not flight records. It is not read." for part in not_read
    ]
    return blocks + lists


def _block(layout: Layout, parts: list[Part]) -> Iterator[str]:
    count = f" ({len(parts):,} files)" if len(parts) > 1 else ""
    by_values = "" if layout.header_line else " (without a header, recognized by its values)"
    yield f"{_some([part.name for part in parts])}{count}: {layout.mapping.name}{by_values}"
    for column in COLUMNS:
        if source := _source(layout, column):
            yield f"  {column:{WIDTH}}{source}"
    missing = [c for c in COLUMNS if c not in {*layout.fills, *layout.derived, *OWN}]
    if missing:
        yield f"  Missing, and therefore null: {', '.join(missing)}"
    if "Arrival_Delay_Minutes" in missing:
        yield "  Without arrival delays, it is unknown which flights were on time."
    if kept := list(filter(None, layout.others.values())):
        yield f"  Kept as they are: {', '.join(kept)}"
    if layout.unused:
        yield f"  Not used: {len(layout.unused):,} of the file's columns ({_some(layout.unused)})"


def _source(layout: Layout, column: str) -> str:
    """Say what fills a column; "" if nothing does."""
    if code := layout.derived.get(column):
        on = " and the date" if column == "Airline_Name" else ""
        return f"derived from {code}{on}"
    if fill := layout.fills.get(column):
        return layout.label(column) if fill.columns else f"always {fill.value!r}"
    return ""


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - EXAMPLES:,} more" if len(names) > EXAMPLES else ""
    return ", ".join(names[:EXAMPLES]) + more
