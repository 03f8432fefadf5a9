"""Values that a query computes for each group, as columns of its result."""

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Expression

from flights.errors import BadQuery
from flights.mirror import LONGEST_NAME, Field, public

from .columns import Columns

NUMBERS = (models.IntegerField, models.FloatField)


@dataclass(frozen=True)
class Measure:
    """A value computed for each group; its field is a column of the result."""

    field: Field
    expression: Expression
    # What it is in a version that lacks a column: the column's name, and the expression.
    without: tuple[str, Expression] | None = None

    def of(self, rows: "models.QuerySet[Any]") -> Expression:
        """The expression for some rows, in which a missing column is an annotated null."""
        if self.without and self.without[0] in rows.query.annotations:
            return self.without[1]
        return self.expression


def measure(
    field: Field,
    title: str,
    meaning: str,
    expression: Expression,
    without: tuple[str, Expression] | None = None,
) -> Measure:
    """A measure of the field's type; a name that is too long for PostgreSQL is cut."""
    if len(title.encode()) > LONGEST_NAME:
        title = title.encode()[:LONGEST_NAME].decode(errors="ignore").rstrip("_")
    field.db_column = field.column = title
    field.help_text, field.null = meaning, True
    return Measure(field, expression, without)


def number(table: Columns, function: str, name: str) -> Field:
    """The column of numbers of a name; BadQuery lists the table's columns of numbers."""
    column = table.find(name)
    if not isinstance(column, NUMBERS):
        raise BadQuery(f"aggregate: {function} needs a column of numbers.", numbers(table))
    return column


def numbers(table: Columns) -> list[str]:
    return [public(field) for field in table.fields if isinstance(field, NUMBERS)]
