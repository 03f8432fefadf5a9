"""How many rows a query has, for those who ask: `count=exact`, `count=estimated`, `facets=...`."""

import json
from typing import Any

from django.db import models
from django.db.models import Count

from flights.errors import BadQuery
from flights.mirror import MirroredTable, public
from flights.models import TableVersion

from . import cost
from .columns import Columns
from .query import Query

WAYS = ["exact", "estimated"]
FACET_VALUES = 20  # the most frequent ones of each column


def asked_way(parameters: dict[str, str]) -> str:
    """How to count; "" where nobody asks."""
    way = parameters.get("count", "").lower()
    if way and way not in WAYS:
        raise BadQuery(f"count: {way[:40]!r} is no way to count.", WAYS)
    return way


def count(way: str, asked: Query, rows: "models.QuerySet[Any]", version: TableVersion) -> int:
    """All rows of the query, or its groups, whatever the page. The planner estimates at once."""
    if asked.takes_all(rows):
        return version.rows  # counted when it was verified
    matching = asked.matching(rows)
    if way == "exact":
        with cost.bounded(matching, version):
            return matching.count()
    plan = matching.explain(format="json")  # empty where Django knows that there is no row
    return int(json.loads(plan)[0]["Plan"]["Plan Rows"]) if plan else 0


def asked_facets(model: type[MirroredTable], parameters: dict[str, str]) -> Columns:
    """The columns whose values are counted; a table declares which can be."""
    declared = [field for field in model.columns() if field.name in model.mirror.facets]
    known = Columns(f"{model._meta.db_table} counts values of some columns only, and", declared)
    listed = known.listed(parameters.get("facets", ""))
    if listed and (parameters.get("group_by") or parameters.get("aggregate")):
        raise BadQuery("facets count rows, not groups: ask for one of the two.")
    return Columns(known.of, listed)


def facets(
    wanted: Columns, rows: "models.QuerySet[Any]", version: TableVersion
) -> dict[str, list[dict[str, Any]]]:
    """The most frequent values of each column among the query's rows, with their numbers."""
    return {public(field): _values(rows, field.name, version) for field in wanted.fields}


def _values(rows: "models.QuerySet[Any]", name: str, version: TableVersion) -> list[dict[str, Any]]:
    counted = rows.order_by().values_list(name).annotate(number=Count("pk"))
    most = cost.fetch(counted.order_by("-number", name)[:FACET_VALUES], version)
    return [{"value": value, "rows": number} for value, number in most]
