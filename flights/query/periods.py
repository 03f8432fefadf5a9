"""Columns to group by, and months and years of dates: `group_by=Airline_Name,month:Flight_Date`.

`month:Flight_Date` gives the column `month_Flight_Date`, the first day of the month as a date.
"""

from dataclasses import dataclass
from functools import lru_cache

from django.db import models
from django.db.models import Expression

from flights.errors import BadQuery
from flights.mirror import Field, public

from . import limits
from .columns import Columns
from .sql_functions import FirstDay

PERIODS = ("month", "year")


@dataclass(frozen=True)
class Key:
    """A column of groups; `expression` computes it if it is not a column of the table."""

    field: Field
    expression: Expression | None = None


def read(table: Columns, text: str) -> list[Key]:
    """The columns of `group_by`, each once. Raises BadQuery for unknown columns and periods."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    limits.at_most(limits.COLUMNS, len(parts), "columns")
    keys = {key.field.name: key for key in (_key(table, part) for part in parts)}
    limits.at_most(limits.GROUPED, len(keys), "columns of group_by")
    return list(keys.values())


@lru_cache
def of(table: Columns) -> dict[str, Key]:
    """The months and years of all dates, by their texts in `group_by`."""
    days = [public(field) for field in table.fields if isinstance(field, models.DateField)]
    texts = [f"{period}:{name}" for name in days for period in PERIODS]
    return {text: _key(table, text) for text in texts}


def _key(table: Columns, text: str) -> Key:
    if ":" not in text:
        return Key(table.find(text))
    period, _, name = text.partition(":")
    period = period.strip().lower()
    if period not in PERIODS:
        allowed = ["column", *(f"{each}:column" for each in PERIODS)]
        raise BadQuery(f"group_by: {period[:40]!r} is unknown.", allowed)
    column = table.find(name)
    if not isinstance(column, models.DateField):  # a DateTimeField is one, too
        days = [public(field) for field in table.fields if isinstance(field, models.DateField)]
        raise BadQuery(f"group_by: {period} needs a column of dates or times.", days)
    return Key(_field(period, column), FirstDay(period, column.name, column))


def _field(period: str, column: Field) -> Field:
    meaning = f"first day of the {period} of {column.help_text}"
    title = f"{period}_{public(column)}"
    field = models.DateField(null=column.null, db_column=title, help_text=meaning)
    field.set_attributes_from_name(f"{period}_of_{column.name}")
    return field
