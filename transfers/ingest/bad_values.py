"""Refuse the values of a file that break a rule."""

import pyarrow as pa
import pyarrow.compute as pc


class BadValue(Exception):
    """The first value of a batch that breaks a rule. Rows count from 0."""

    def __init__(self, row: int, column: str, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.row, self.column, self.advice = row, column, advice


def cast(column: pa.Array, type_: pa.DataType, header: str, problem: str, advice: str) -> pa.Array:
    """Convert values exactly; BadValue names the first that does not fit."""
    try:
        return column.cast(type_)
    except pa.ArrowInvalid:
        bad = pa.array([not fits(value, type_) for value in column], pa.bool_())
        refuse(column, bad, header, problem, advice)
        raise


def refuse(column: pa.Array, bad: pa.Array, header: str, problem: str, advice: str) -> None:
    """Raise BadValue for the first row whose `bad` is true, if any."""
    row = pc.index(bad, True).as_py()
    if row >= 0:
        raise BadValue(row, header, f"{_preview(column[row])!r} {problem}.", advice)


def fits(value: pa.Scalar, type_: pa.DataType) -> bool:
    """Whether a type can hold a value."""
    try:
        value.cast(type_)
    except pa.ArrowInvalid:
        return False
    return True


def _preview(value: pa.Scalar) -> str:
    """Return the first 40 characters of a value, for an error message."""
    try:
        return str(value.cast(pa.string()).as_py() or "")[:40]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # not convertible to text
        return str(value)[:40]
