"""Counts delays that no flight has. Their rows stay: only the file's owner knows what is right."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

# Minutes. The US DOT's records have flights of more than two days late, and one of 1,116 minutes
# early: a day early or a week late is more likely a wrong unit or a number that stands for nothing.
EARLIEST, LATEST = -1_440, 10_080


@dataclass
class Implausible:
    """How many values of one column are implausible, and the first of them."""

    first: int
    place: str
    count: int = 0


@dataclass
class Delays:
    columns: dict[str, Implausible] = field(default_factory=dict)

    def look(self, batch: pa.RecordBatch, place: Callable[[int], str]) -> None:
        for name in ("Departure_Delay_Minutes", "Arrival_Delay_Minutes"):
            column = batch[name]
            bad = pc.or_(pc.less(column, EARLIEST), pc.greater(column, LATEST))
            if count := pc.sum(bad).as_py():
                row = pc.index(bad, True).as_py()
                found = self.columns.setdefault(name, Implausible(column[row].as_py(), place(row)))
                found.count += count

    def warnings(self, path: Path) -> tuple[str, ...]:
        """One line for each column."""
        return tuple(
            f"{path.name}, column {name.replace('_', ' ')}: {seen.count:,} implausible delays"
            f" (outside {EARLIEST:,} to {LATEST:,} minutes), the first {seen.first:,}"
            f" in {seen.place}. They are ingested as they are."
            for name, seen in self.columns.items()
        )
