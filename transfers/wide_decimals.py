"""Add up decimals with many digits in two halves, because their sum could overflow.

PostgreSQL needs no halves: its sums can have any number of digits.
"""

from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa

# A decimal with at most this many digits is added up as a whole. Spark adds 10 digits for the sum,
# so 10^10 values cannot overflow.
SUMMABLE_DIGITS = 26
LOWER_DIGITS = 20  # of a wider decimal; its other digits, at most 18, are added up by themselves


def is_wide(type_: pa.DataType) -> bool:
    """Whether a decimal has to be added up in halves."""
    return bool(type_.precision > SUMMABLE_DIGITS)


def halves(name: str, text_type: str) -> Iterator[tuple[str, str]]:
    """The upper and the lower digits of a decimal without its point, as two numbers."""
    digits = f"replace(replace(CAST({name} AS {text_type}), '-', ''), '.', '')"
    padded = f"lpad({digits}, {2 * LOWER_DIGITS}, '0')"
    sign = f"CASE WHEN {name} < 0 THEN '-' ELSE '' END"
    for part, first in (("upper", 1), ("lower", LOWER_DIGITS + 1)):
        text = f"concat({sign}, substr({padded}, {first}, {LOWER_DIGITS}))"
        number = f"CAST({text} AS DECIMAL(38, 0))"
        yield part, f"CASE WHEN {name} IS NOT NULL THEN {number} END"


def whole_sums(columns: pa.Schema, figures: dict[str, str | None]) -> dict[str, str | None]:
    """Combine the sums of the upper and the lower digits of wide decimals into one sum."""
    for column in columns:
        upper = figures.pop(f"{column.name} upper", None)
        lower = figures.pop(f"{column.name} lower", None)
        if pa.types.is_decimal(column.type) and f"{column.name} sum" not in figures:
            figures[f"{column.name} sum"] = _sum(upper, lower, column.type.scale)
    return figures


def _sum(upper: str | None, lower: str | None, scale: int) -> str | None:
    """A sum as PostgreSQL writes it, with all its decimal places."""
    if upper is None or lower is None:
        return None
    return f"{Decimal(f'{int(upper) * 10**LOWER_DIGITS + int(lower)}E-{scale}'):f}"
