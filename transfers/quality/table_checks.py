"""Run the checks of one table on a snapshot of it: one query, and one more for each that fails."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from flights import tables
from flights.mirror import MirroredTable
from flights.models import TableVersion
from flights.quality import Check, InRange, NotNull, RowCount, SameTotal, Total, Unique

from . import expressions
from .results import Result, Status, example, storable, words

EXAMPLES = 10  # rows that are shown of a failed check

type Totals = dict[Total, int]


class Source(Protocol):
    """A table whose columns have the model's names in queries."""

    @property
    def rows(self) -> int: ...

    def query(self, sql: str) -> pa.Table: ...


@dataclass(frozen=True)
class Measured:
    """The results of one table's checks, and its totals that checks compare with other tables."""

    results: list[Result] = field(default_factory=list)
    totals: Totals = field(default_factory=dict)


def measure(model: type[MirroredTable], current: TableVersion | None, source: Source) -> Measured:
    """Run the checks of a table; `current` is the version that a new one would replace.

    The caller runs the checks that compare tables, because it knows the totals of both.
    """
    own = [check for check in model.mirror.checks if not isinstance(check, SameTotal)]
    counted = [check for check in own if not isinstance(check, RowCount)]
    compared = _totals(model)
    numbers = _numbers(model, [*counted, *compared], source)
    results = [
        _row_count(model, check, current, source.rows)
        if isinstance(check, RowCount)
        else _result(model, check, numbers[check], source)
        for check in own
    ]
    return Measured(results, {total: numbers[total] for total in compared})


def totals(model: type[MirroredTable], source: Source) -> Totals:
    """Compute the totals of a table that any table's checks compare."""
    compared = _totals(model)
    numbers = _numbers(model, compared, source)
    return {total: numbers[total] for total in compared}


def _totals(model: type[MirroredTable]) -> list[Total]:
    table = model._meta.db_table
    pairs = [
        pair
        for other in {*tables.TABLES, model}
        for check in other.mirror.checks
        if isinstance(check, SameTotal)
        for pair in ((other._meta.db_table, check.total), (check.table, check.other))
    ]
    return list(dict.fromkeys(total for owner, total in pairs if owner == table))


def _numbers(
    model: type[MirroredTable], counted: Sequence[Check | Total], source: Source
) -> dict[Check | Total, int]:
    """Compute all numbers in one query."""
    if not counted:
        return {}
    sql = [expressions.aggregate(model, one) for one in counted]
    # Give them short names: by default, a database derives long names from the expressions.
    parts = ", ".join(f"{part} AS number_{index}" for index, part in enumerate(sql))
    # With count(*) the result is one row, also if all parts are subqueries.
    row = source.query(f"SELECT count(*), {parts} FROM {{source}}")  # noqa: S608  # quoted
    values = (column[0].as_py() for column in row.columns[1:])
    return {one: int(value) for one, value in zip(counted, values, strict=True)}


def _result(model: type[MirroredTable], check: Check, rows: int, source: Source) -> Result:
    what, severity = words(model, check), check.severity.value
    if not rows:
        return Result(what, severity, Status.PASSED, rows=0)
    columns, examples = _examples(model, check, source)
    finding = f"not so in {_rows(rows)}; the first: {example(columns, examples[0])}"
    return Result(what, severity, Status.FAILED, finding, rows, columns, examples)


def _examples(
    model: type[MirroredTable], check: Check, source: Source
) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
    """Return the names of columns, and their values in the first rows that break the check."""
    if isinstance(check, Unique):
        sql = expressions.repeated_values(model, check)
        keys = expressions.names(model, check.columns)
    else:
        assert isinstance(check, NotNull | InRange)
        keys = expressions.names(model, dict.fromkeys([*_identity(model), *check.names()]))
        sql = f"SELECT {keys} FROM {{source}} WHERE {expressions.violation(model, check)}"  # noqa: S608
    rows = source.query(f"{sql} ORDER BY {keys} LIMIT {EXAMPLES}")
    values = zip(*(map(storable, column.to_pylist()) for column in rows.columns), strict=True)
    return tuple(rows.column_names), tuple(values)


def _identity(model: type[MirroredTable]) -> tuple[str, ...]:
    """The fields by which people recognize a row."""
    unique = (check.columns for check in model.mirror.checks if isinstance(check, Unique))
    order = (name.removeprefix("-") for name in model.mirror.order)
    return model.mirror.key or (*order, *next(unique, ()))


def _row_count(
    model: type[MirroredTable], check: RowCount, current: TableVersion | None, rows: int
) -> Result:
    what, severity = words(model, check), check.severity.value
    if current is None:
        return Result(what, severity, Status.SKIPPED, "this is the first version")
    if rows * 100 >= current.rows * check.percent:
        return Result(what, severity, Status.PASSED)
    finding = f"{_rows(rows)}, but {current.rows:,} in version {current.number}"
    return Result(what, severity, Status.FAILED, finding)


def _rows(number: int) -> str:
    return f"{number:,} row{'s' * (number != 1)}"
