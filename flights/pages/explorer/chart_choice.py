"""The charts that fit the columns of a result, and the one that an address names.

`chart=Airline_Name,count` draws a value by a label: bars, a line over time or columns over an
ordered scale. `histogram:Column`, `scatter:Across,Up`, `grid:Row,Column,Value` and
`map:Airport,Value` name others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import models

from flights.errors import BadQuery
from flights.mirror import Field, public
from flights.pages.formatting import kind, title

BY, HISTOGRAM, SCATTER, GRID, MAP = "by", "histogram", "scatter", "grid", "map"
TITLES = {
    BY: "Bars or line",
    HISTOGRAM: "Histogram",
    SCATTER: "Points",
    GRID: "Grid",
    MAP: "Map",
}
SLOTS = {
    BY: ("By", "Value"),
    HISTOGRAM: ("Value",),
    SCATTER: ("Across", "Up"),
    GRID: ("Rows", "Columns", "Value"),
    MAP: ("Airport", "Value"),
}
AIRPORTS = ("Airport", "Origin", "Destination")  # columns with codes of airports
NOTHING_FITS = "A chart needs a column of numbers and another column for the labels."


@dataclass(frozen=True)
class Choice:
    kind: str
    fields: tuple[Field, ...]  # one for each slot

    def __str__(self) -> str:
        names = ",".join(map(public, self.fields))
        return names if self.kind == BY else f"{self.kind}:{names}"

    @property
    def title(self) -> str:
        names = [title(field) for field in self.fields]
        if self.kind == SCATTER:
            return f"{names[1]} and {names[0]}"
        by = " and ".join(names[:-1])
        return f"{names[-1]} by {by}" if by else f"Distribution of {names[0]}"


@dataclass(frozen=True)
class Choices:
    """`keys` identify a row or group; `sorted_by` are the columns that the rows are sorted by.

    `fixed` are the names of columns that have one value in all rows, because of a filter.
    """

    fields: Sequence[Field]
    keys: Sequence[Field]
    sorted_by: Sequence[str]
    grouped: bool
    fixed: frozenset[str] = frozenset()

    @property
    def labels(self) -> list[Field]:
        if self.grouped:
            return list(self.keys)
        return [f for f in self.fields if kind(f) != "number" or f in self.keys]

    @property
    def numbers(self) -> list[Field]:
        return [f for f in self.fields if kind(f) == "number" and f not in self.labels]

    @property
    def slots(self) -> dict[str, list[list[Field]]]:
        """The columns for each slot of each kind of chart that fits."""
        numbers, keys = self.numbers, [key for key in self.keys if key in self.labels]
        possible = {
            BY: [self.labels, numbers],
            HISTOGRAM: [[] if self.grouped else numbers],
            SCATTER: [numbers, numbers if len(numbers) > 1 else []],
            GRID: [keys, keys if len(keys) > 1 else [], numbers],
            MAP: [self._airports, numbers],
        }
        return {name: slots for name, slots in possible.items() if all(slots)}

    @property
    def _airports(self) -> list[Field]:
        """The column of airports, if no two rows have the same one."""
        free = [key for key in self.keys if public(key) not in self.fixed]
        return free if len(free) == 1 and public(free[0]) in AIRPORTS else []

    def find(self, text: str) -> Choice:
        """The chart that a text names, in any case; without a text, the one that fits best.

        Raises BadQuery if there is no such chart, or none at all.
        """
        if not self.slots:
            raise BadQuery(NOTHING_FITS)
        if not text:
            return self.default(self._best)
        name, _, columns = text.partition(":") if ":" in text else (BY, "", text)
        choice = self._named(name.strip().lower(), columns.split(","))
        if choice is None:
            allowed = [str(self.default(name)) for name in self.slots]
            raise BadQuery(f"chart: {text[:80]!r} is not a chart of this table.", allowed)
        return choice

    def default(self, name: str) -> Choice:
        """The chart of a kind that shows the sorted column."""
        taken: list[Field] = []
        for fields in self.slots[name]:
            free = [field for field in fields if field not in taken]
            numeric = all(kind(field) == "number" for field in free)
            taken.append(self._sorted(free) if numeric and name != SCATTER else free[0])
        return Choice(name, tuple(taken))

    @property
    def _best(self) -> str:
        """Rows without a key have no labels of their own, so their values are counted."""
        if not self.keys and HISTOGRAM in self.slots:
            return HISTOGRAM
        return next(iter(self.slots))

    def _named(self, name: str, columns: list[str]) -> Choice | None:
        slots = self.slots.get(name, [])
        if len(columns) != len(slots):
            return None
        known = [{public(field).lower(): field for field in fields} for fields in slots]
        matches = [k.get(c.strip().lower()) for k, c in zip(known, columns, strict=True)]
        fields = tuple(field for field in matches if field)
        return Choice(name, fields) if len(set(fields)) == len(slots) else None

    def _sorted(self, fields: list[Field]) -> Field:
        for name in self.sorted_by:
            for field in fields:
                if public(field).lower() == name.strip().removeprefix("-").lower():
                    return field
        return fields[0]


def is_ordered(field: Field) -> bool:
    """Whether the values are a scale, such as dates and hours."""
    return isinstance(field, models.DateField) or kind(field) == "number"
