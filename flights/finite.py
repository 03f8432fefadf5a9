"""Float columns of which NaN and infinity are read as no value.

JSON has neither, NaN is the greatest of PostgreSQL's numbers, and averages with either are lost. A
version that holds some keeps them, as it equals its source; nobody who queries it meets them.
"""

from typing import Any

from django.db import models
from django.db.models.expressions import Col

from .mirror import Field

FINITE = "CASE WHEN {0} - {0} = 0 THEN {0} END"  # NaN - NaN and infinity - infinity are NaN


class FiniteCol(Col):
    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        column, parameters = super().as_sql(compiler, connection)
        return FINITE.format(column), parameters


class FiniteField(models.FloatField):  # type: ignore[type-arg]  # it has none here
    """Its column is an expression in all that Django writes: filters, orders and aggregates."""

    def get_col(self, alias: str, output_field: Any = None) -> Col:
        return FiniteCol(alias, self, output_field)


def finite(field: Field) -> FiniteField:
    """The same column, of which any row may lack a value."""
    _, _, arguments, options = field.deconstruct()
    return FiniteField(*arguments, **{**options, "null": True})
