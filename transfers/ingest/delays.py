"""Count implausible delays, and warn of them.

Their rows are ingested unchanged, because only the owner of the file knows the right values.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

# The plausible range, in minutes: from one day early to one week late. The US DOT's records have
# flights that were more than two days late, and one that was 1,116 minutes early. A value outside
# the range is more likely in a wrong unit, or a placeholder such as 99999.
EARLIEST, LATEST = -1_440, 10_080


@dataclass
class Implausible:
    """How many values of one column are implausible; the first one, in minutes, and its place."""

    first: int
    place: str
    count: int = 0


@dataclass
class DelayCheck:
    """The implausible delays of a file, by column."""

    columns: dict[str, Implausible] = field(default_factory=dict)

    def check(self, batch: pa.RecordBatch, place: Callable[[int], str]) -> None:
        """Count the implausible delays of a batch; `place` names a row, as in "line 7"."""
        for name in ("Departure_Delay_Minutes", "Arrival_Delay_Minutes"):
            column = batch[name]
            bad = pc.or_(pc.less(column, EARLIEST), pc.greater(column, LATEST))
            if count := pc.sum(bad).as_py():
                row = pc.index(bad, True).as_py()
                first = Implausible(column[row].as_py(), place(row))
                self.columns.setdefault(name, first).count += count

    def warnings(self, file: str) -> tuple[str, ...]:
        """Return one line for each column with implausible delays."""
        return tuple(
            f"{file}, column {name.replace('_', ' ')}: {column.count:,} implausible delays"
            f" (outside {EARLIEST:,} to {LATEST:,} minutes), the first {column.first:,}"
            f" in {column.place}. They are ingested unchanged."
            for name, column in self.columns.items()
        )
