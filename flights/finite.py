"""Read NaN and infinity in float columns as null.

JSON cannot represent them, PostgreSQL sorts NaN above all numbers, and one of them makes an average
useless. A version stores them, because it must equal its source; queries never return them. A
number that a query computes may be beyond the range of its type, too: then the query is refused.
"""

from typing import Any

from django.db import DataError, models
from django.db.models.expressions import Col

from . import sqlstates
from .errors import BadQuery
from .mirror import Field

FINITE = "CASE WHEN {0} - {0} = 0 THEN {0} END"  # NaN - NaN and infinity - infinity are NaN


def refusal(error: DataError) -> Exception:
    """Return BadQuery for a computed number beyond the range of its type; else the error itself."""
    if sqlstates.sqlstate(error) != sqlstates.OUT_OF_RANGE:
        return error
    return BadQuery(
        "A value that the query computes is beyond the range of its type (64 bits). Leave out the"
        " rows with extreme values, or group them."
    )


class FiniteCol(Col):
    """A reference to a column in SQL, as an expression that is null unless its value is finite."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        column, params = super().as_sql(compiler, connection)
        return FINITE.format(column), params


class FiniteField(models.FloatField):  # type: ignore[type-arg]  # not generic
    """A float field that Django reads through `FiniteCol` in filters, orders and aggregates."""

    def get_col(self, alias: str, output_field: Any = None) -> Col:
        return FiniteCol(alias, self, output_field)


def finite(field: Field) -> FiniteField:
    """Return a field of the same column that reads NaN and infinity as null."""
    _, _, arguments, options = field.deconstruct()
    return FiniteField(*arguments, **{**options, "null": True})
