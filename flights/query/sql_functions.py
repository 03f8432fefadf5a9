"""Functions of PostgreSQL that groups need and Django lacks."""

from typing import Any

from django.db import models
from django.db.models import (
    Aggregate,
    BigIntegerField,
    DateField,
    DecimalField,
    FloatField,
    Func,
    Sum,
)
from django.db.models.functions import Cast

from flights.mirror import Field, LocalDateTimeField


class Percentile(Aggregate):
    """Interpolated between the two nearest values, as PostgreSQL's percentile_cont."""

    template = "percentile_cont(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


class DiscretePercentile(Aggregate):
    """The smallest value that at least this percentage of the values does not exceed."""

    template = "percentile_disc(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"


def percentile(percent: int, column: Field) -> Aggregate:
    return Percentile(column.name, fraction=f"0.{percent:02}")


def whole_sum(column: Field) -> Aggregate | Func:
    """A sum of whole numbers. PostgreSQL's sum of 64-bit numbers has any number of digits."""
    if not isinstance(column, BigIntegerField):
        return Sum(column.name)
    return Cast(Sum(column.name), BigIntegerField())


def discrete_percentile(percent: int, column: Field) -> Aggregate:
    # PostgreSQL takes the value at ceil(fraction * count). In floats 0.07 * 100 is above 7, which
    # would be the 8th value. A fraction smaller by 1e-12 is right for a billion rows.
    return DiscretePercentile(column.name, fraction=f"0.{percent - 1:02}{'9' * 10}")


class Decimal(Func):
    """A number as a decimal number: sums of these do not depend on the order of the rows."""

    template = "CAST(%(expressions)s AS numeric)"
    output_field = DecimalField()


class Percent(Func):
    """100 * part / whole with two decimals, half away from zero; null if the whole is 0.

    `div` divides whole numbers. So the hundredths are exact, and no double is rounded.
    """

    arity = 2
    template = (
        "(div(20000 * {0} + sign({0}) * abs({1}), 2 * nullif({1}, 0)) * 0.01)::double precision"
    )
    output_field = FloatField()

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # type: ignore[override]
        (part, values), (whole, others) = map(compiler.compile, self.get_source_expressions())
        sql = self.template.format(f"CAST({part} AS numeric)", f"CAST({whole} AS numeric)")
        return sql, [*values, *values, *others, *others]


class FirstDay(Func):
    """The first day of a month or year. Times with a zone count in UTC, as the API shows them."""

    output_field = DateField()

    def __init__(self, period: str, column: str, field: Field) -> None:
        has_zone = isinstance(field, models.DateTimeField) and not isinstance(
            field, LocalDateTimeField
        )
        # Without the cast PostgreSQL would turn a date into a time of the session's zone.
        local = "AT TIME ZONE 'UTC'" if has_zone else "::timestamp"
        super().__init__(column, template=f"date_trunc('{period}', %(expressions)s {local})::date")
