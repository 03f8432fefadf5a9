"""`information_schema.tables`: how clients of the first AirSense list the published tables.

It lists only published tables, not the rest of PostgreSQL's `information_schema`.
"""

from django.db import models

from flights import versions
from flights.errors import BadQuery
from flights.exports import FORMATS
from flights.mirror import RESERVED, Field, public
from flights.models import PublishedTable
from flights.query import params
from flights.query.columns import Columns
from flights.query.filters import filters
from flights.tables import NAMES

NAME = "information_schema.tables"
SCHEMA = "public"
PARAMETERS = {"columns", "order_by", "limit", "offset", "format"}

type Rows = list[dict[str, str]]


def _column(name: str) -> Field:
    field = models.TextField()
    field.set_attributes_from_name(name)
    return field


COLUMNS = Columns(NAME, map(_column, ("table_schema", "table_name")))


def is_named(table_name: str) -> bool:
    return table_name.strip().lower() == NAME


def rows(values: dict[str, str]) -> Rows:
    """The published tables that match the parameters of a query."""
    _refuse_unsupported(values)
    conditions = {public(COLUMNS.find(n)): value for n, value in filters(values).items()}
    matches = [row for row in versions.with_retry(_published) if conditions.items() <= row.items()]
    for name in reversed([n.strip() for n in values["order_by"].split(",") if n.strip()]):
        column = public(COLUMNS.find(name.removeprefix("-")))
        matches.sort(key=lambda row: row[column], reverse=name.startswith("-"))
    first = params.offset(values)
    page = matches[first : first + params.whole_number(values, "limit", len(NAMES))]
    names = [public(field) for field in COLUMNS.chosen(values.get("columns", ""))]
    return [{name: row[name] for name in names} for row in page]


def _refuse_unsupported(values: dict[str, str]) -> None:
    if unsupported := sorted((values.keys() & RESERVED) - PARAMETERS):
        allowed = ["table_name", "where", "order_direction", *sorted(PARAMETERS)]
        raise BadQuery(f"{NAME} has no parameter {unsupported[0]!r}.", allowed)
    if values.get("format") in FORMATS:
        raise BadQuery(f"{NAME} is only available as JSON.", ["json", "api"])


def _published() -> Rows:
    tables = PublishedTable.objects.using(versions.READER).values_list("table", flat=True)
    published = set(tables)
    return [{"table_schema": SCHEMA, "table_name": n} for n in NAMES if n in published]
