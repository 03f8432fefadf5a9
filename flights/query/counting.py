"""How many rows a query matches (`count=exact`, `count=estimated`), and `facets=...`."""

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count

from flights.errors import BadQuery
from flights.mirror import Field, MirroredTable, public
from flights.models import TableVersion

from . import cost
from .columns import Columns

if TYPE_CHECKING:
    from .query import Query

WAYS = ["exact", "estimated"]
FACET_VALUES = 20  # the most frequent ones of each column

type Facets = dict[str, list[dict[str, Any]]]  # {"City": [{"value": "Chicago, IL", "rows": 12}]}


def read(params: dict[str, str]) -> str:
    """How to count; "" if the client does not want a count."""
    way = params.get("count", "").lower()
    if way and way not in WAYS:
        raise BadQuery(f"count: {way[:40]!r} is unknown.", WAYS)
    return way


def count(query: "Query", version: TableVersion, way: str) -> int:
    """The number of matches. The planner estimates at once; counting can take seconds."""
    if query.is_unfiltered:
        return version.rows  # counted when the version was verified
    matches = query.matches(version)
    return exact(matches, version) if way == "exact" else estimated(matches)


def exact(rows: "models.QuerySet[Any]", version: TableVersion) -> int:
    """Count rows. Raises BadQuery or Unavailable if that would cost too much."""
    with cost.bounded(rows, version):
        return rows.count()


def estimated(rows: "models.QuerySet[Any]") -> int:
    """The number of rows that the planner expects."""
    plan = rows.explain(format="json")  # empty if Django knows that no row matches
    return int(json.loads(plan)[0]["Plan"]["Plan Rows"]) if plan else 0


def read_facets(model: type[MirroredTable], params: dict[str, str]) -> list[Field]:
    """The columns whose values to count; a table declares the columns that allow it."""
    fields = _countable(model).listed(params.get("facets", ""))
    if fields and (params.get("group_by") or params.get("aggregate")):
        raise BadQuery("facets cannot be combined with group_by or aggregate.")
    return fields


@lru_cache
def _countable(model: type[MirroredTable]) -> Columns:
    declared = [field for field in model.columns() if field.name in model.mirror.facets]
    return Columns(f"{model._meta.db_table} has facets for some columns only, and", declared)


def facets(query: "Query", version: TableVersion) -> Facets:
    """The most frequent values of each facet column in the matching rows."""
    return {public(field): _values(query, field, version) for field in query.facet_columns}


def _values(query: "Query", field: Field, version: TableVersion) -> list[dict[str, Any]]:
    counted = query.rows(version).order_by().values_list(field.name).annotate(number=Count("pk"))
    most = cost.fetch(counted.order_by("-number", field.name)[:FACET_VALUES], version)
    return [{"value": value, "rows": number} for value, number in most]
