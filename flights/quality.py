"""Quality checks: what must hold of a table's rows before a version of it is published.

A table declares its checks in `Mirror.checks`, with columns by field name. `transfers/quality` runs
them in the warehouse; docs/quality.md explains them.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Severity(StrEnum):
    """What a failed check does."""

    BLOCK = "block"  # nothing is published
    WARN = "warn"  # the version is published, and the failure is recorded with it


BLOCK, WARN = Severity


@dataclass(frozen=True)
class Check:
    severity: Severity = field(default=BLOCK, kw_only=True)

    def names(self) -> tuple[str, ...]:
        """The fields that the check reads."""
        return ()


@dataclass(frozen=True)
class NotNull(Check):
    """No row has a null in one of the columns."""

    columns: tuple[str, ...]

    def names(self) -> tuple[str, ...]:
        return self.columns


@dataclass(frozen=True)
class InRange(Check):
    """All values of the columns are within the limits, or null."""

    columns: tuple[str, ...]
    least: float | date | None = None
    greatest: float | date | None = None

    def names(self) -> tuple[str, ...]:
        return self.columns


@dataclass(frozen=True)
class Unique(Check):
    """No two rows have the same values in the columns. Rows with a null in one are left out."""

    columns: tuple[str, ...]

    def names(self) -> tuple[str, ...]:
        return self.columns


@dataclass(frozen=True)
class RowCount(Check):
    """The table has at least this percentage of the rows of the version that is current now."""

    percent: float


@dataclass(frozen=True)
class Total:
    """The sum of a column, or the number of rows; of all rows, or only of some."""

    sum_of: str = ""  # empty: the number of rows
    present: tuple[str, ...] = ()  # only rows without a null in these columns
    where: tuple[tuple[str, str], ...] = ()  # only rows with these texts: (column, text)

    def names(self) -> tuple[str, ...]:
        return (*filter(None, [self.sum_of]), *self.present, *(name for name, _ in self.where))


@dataclass(frozen=True)
class SameTotal(Check):
    """A total of this table equals a total of another table."""

    total: Total
    table: str
    other: Total

    def names(self) -> tuple[str, ...]:
        return self.total.names()
