"""`information_schema.tables`: how a client of the first AirSense asks which tables there are.

It has the published tables, and nothing else of PostgreSQL's catalogue.
"""

from django.db import models

from flights import versions
from flights.errors import BadQuery
from flights.exports import FORMATS
from flights.mirror import RESERVED, Field, public
from flights.models import PublishedTable
from flights.query.columns import Columns
from flights.query.filters import filters
from flights.query.query import skipped, whole_number
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


def rows(parameters: dict[str, str]) -> Rows:
    """The published tables that a query keeps, by the parameters of a table's own query."""
    _refuse_others(parameters)
    conditions = {public(COLUMNS.find(n)): value for n, value in filters(parameters).items()}
    kept = [row for row in versions.with_retry(_published) if conditions.items() <= row.items()]
    for name in reversed([n.strip() for n in parameters["order_by"].split(",") if n.strip()]):
        column = public(COLUMNS.find(name.removeprefix("-")))
        kept.sort(key=lambda row: row[column], reverse=name.startswith("-"))
    first = skipped(parameters)
    page = kept[first : first + whole_number(parameters, "limit", len(NAMES))]
    listed = parameters.get("columns", "")
    columns = [] if listed.strip() == "*" else COLUMNS.listed(listed)
    names = [public(field) for field in columns or COLUMNS.fields]
    return [{name: row[name] for name in names} for row in page]


def _refuse_others(parameters: dict[str, str]) -> None:
    if others := sorted((parameters.keys() & RESERVED) - PARAMETERS):
        allowed = ["table_name", "where", "order_direction", *sorted(PARAMETERS)]
        raise BadQuery(f"{NAME} cannot be queried by {others[0]}.", allowed)
    if parameters.get("format") in FORMATS:
        raise BadQuery(f"{NAME} is JSON alone.", ["json", "api"])


def _published() -> Rows:
    tables = PublishedTable.objects.using(versions.READER).values_list("table", flat=True)
    published = set(tables)
    return [{"table_schema": SCHEMA, "table_name": n} for n in NAMES if n in published]
