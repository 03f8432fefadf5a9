"""The result of a quality check in words and as JSON, as a transfer and its version store it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from flights.mirror import MirroredTable, column
from flights.quality import BLOCK, Check, InRange, NotNull, RowCount, SameTotal, Total, Unique
from flights.tables import by_name

LONGEST_VALUE = 200  # characters of a value in an example


class Status(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"  # there is nothing to compare with


@dataclass(frozen=True)
class Result:
    """The result of one check."""

    check: str  # what must hold, in words
    severity: str
    status: str
    finding: str = ""  # why it did not pass
    rows: int | None = None  # number of rows that break it; None: it does not check single rows
    columns: tuple[str, ...] = ()  # of the examples: what identifies a row, and what was checked
    examples: tuple[tuple[Any, ...], ...] = ()  # the first of these rows

    @property
    def blocks(self) -> bool:
        return self.status == Status.FAILED and self.severity == BLOCK

    def __str__(self) -> str:
        return f"{self.check}: {self.finding}" if self.finding else self.check

    def json(self) -> dict[str, Any]:
        return asdict(self)


def words(model: type[MirroredTable], check: Check) -> str:
    """Return what must hold, in words."""
    match check:
        case NotNull(columns=fields):
            return f"{_names(model, fields)} not null"
        case InRange(columns=fields):
            return f"{_names(model, fields)} {_limits(check)}"
        case Unique(columns=fields):
            return f"{_names(model, fields)} unique"
        case RowCount(percent=percent):
            return f"at least {percent:g} % as many rows as the current version"
        case SameTotal(total=total, table=table, other=other):
            return f"{_total(model, total)} = {_total(by_name(table), other)} of {table}"
    raise TypeError(f"{check} has no words")


def example(columns: Iterable[str], values: Iterable[Any]) -> str:
    """Return a row in words, without nulls: "Flight_Date 2013-01-01, Airline_Code AA"."""
    pairs = zip(columns, values, strict=True)
    return ", ".join(f"{name} {value}" for name, value in pairs if value is not None)


def storable(value: Any) -> Any:
    """Return a value of a row as JSON can store it and a page can show it."""
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)[:LONGEST_VALUE]


def _names(model: type[MirroredTable], fields: Iterable[str]) -> str:
    return ", ".join(column(model, field) for field in fields)


def _limits(check: InRange) -> str:
    if check.greatest is None:
        return f"at least {check.least}"
    if check.least is None:
        return f"at most {check.greatest}"
    return f"from {check.least} to {check.greatest}"


def _total(model: type[MirroredTable], total: Total) -> str:
    what = f"sum of {column(model, total.sum_of)}" if total.sum_of else "rows"
    texts = [f"{column(model, field)} {text}" for field, text in total.where]
    present = [f"a value of {_names(model, total.present)}"] if total.present else []
    conditions = [*texts, *present]
    return f"{what} with {' and '.join(conditions)}" if conditions else what
