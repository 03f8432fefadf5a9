"""Find out how files would be ingested, without changing anything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from transfers.exceptions import BadInput

from . import compressed, files, guesses, inputs, lookup_files, mapping, recognition, report
from .compressed import UnpackLimit
from .inputs import Part
from .layout import Layout
from .mapping import Mapping
from .names import Lists, Namer
from .recognition import UnknownForm
from .records import Converter


class Unrecognized(BadInput):
    """A file is of no known form; `lines` are its first ones, for a mapping file."""

    def __init__(self, part: Part, lines: Sequence[Sequence[str]], error: UnknownForm) -> None:
        super().__init__(str(error), file=str(part), advice=error.advice)
        self.part, self.lines = part, lines

    @property
    def can_be_mapped(self) -> bool:
        """Whether a mapping file helps: not if the columns are separated by another character."""
        return not guesses.separator(self.lines[0])


@dataclass(frozen=True)
class Plan:
    """How some files are ingested."""

    files: dict[Path, dict[Part, Layout]]  # a zip has several parts
    lists: Lists
    not_read: tuple[Part, ...] = ()  # lists of codes beside the records

    def lines(self) -> list[str]:
        """Return the report for people: what fills each column, what is missing or not used."""
        layouts = {part: layout for parts in self.files.values() for part, layout in parts.items()}
        return [*report.lines(layouts, self.not_read), *self.lists.own]


def read(
    paths: Sequence[Path],
    columns: Path | None = None,
    airlines: Path | None = None,
    airports: Path | None = None,
) -> Plan:
    """Read the first lines of each file and recognize its form, or apply the mapping `columns`.

    `paths` may contain folders. BadInput if a file cannot be ingested by its first lines.
    """
    form = mapping.read(columns) if columns else None
    lists = Lists.of(airlines, airports)
    planned: dict[Path, dict[Part, Layout]] = {}
    not_read = list[Part]()
    for path in inputs.files(paths):
        layouts = dict(_layouts(path, form, not_read, is_named=path in paths))
        if layouts:
            planned[path] = layouts
    return Plan(planned, lists, tuple(not_read))


def _layouts(
    path: Path, form: Mapping | None, not_read: list[Part], *, is_named: bool
) -> Iterator[tuple[Part, Layout]]:
    """Yield the layout of each part; lists of codes in a folder or zip go to `not_read`."""
    with files.readable(str(path)):
        parts, limit = compressed.parts(path), UnpackLimit(path)
    for part in parts:
        with files.open_source(part, limit) as source:
            if not (is_named and len(parts) == 1) and lookup_files.is_list(source.lines[0]):
                not_read.append(part)
                continue
            try:
                layout = recognition.recognize(source.lines, form, is_text=not source.types)
            except UnknownForm as error:
                raise Unrecognized(part, source.lines, error) from None
            Converter(layout, source.types, Namer(Lists({}, {}, {}))).schema  # noqa: B018  # checks
            yield part, layout
