"""`/api/dynamic_query`: the query API in the words of AirSense's first clients.

    ?table_name=T&columns=a,b&where=Col:v,Col2__gte:v2&order_by=Col&order_direction=DESC&limit=N

The answer is a bare list of objects; the headers state its version and limit. The table
`information_schema.tables` lists the published tables.
"""

from functools import cached_property
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from flights import tables
from flights.errors import FIRST, BadQuery, UnknownTable
from flights.mirror import MirroredTable
from flights.models import TableVersion
from flights.query import columns
from flights.query.columns import Columns
from flights.query.filters import condition, split
from flights.query.paging import Page
from flights.query.query import Query
from flights.web.openapi import ApiSchema
from flights.web.problems import READING, first_errors, problems

from . import information_schema
from .schema import MEANINGS, files
from .views import TableView

ABOUT_WHERE = "Conditions that all have to hold: `City:Chicago, IL,Total_Arrivals__gte:4`."
SAME = ("columns", "order_by", "limit", "offset")


class DynamicSchema(ApiSchema):
    def get_operation_id(self) -> str:
        return "dynamic_query"

    def get_tags(self) -> list[str]:
        return ["First AirSense"]

    def get_override_parameters(self) -> list[Any]:
        return [
            OpenApiParameter(
                "table_name", required=True, enum=[*tables.NAMES, information_schema.NAME]
            ),
            OpenApiParameter("where", description=ABOUT_WHERE),
            OpenApiParameter("order_direction", enum=["ASC", "DESC"]),
            *(OpenApiParameter(name, description=MEANINGS[name]) for name in SAME),
        ]

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # what is answered is written below as it is

    def get_response_serializers(self) -> Any:
        rows = {"type": "array", "items": {"type": "object", "additionalProperties": {}}}
        told = {**first_errors(*READING), **problems(414)}  # that is said before a route is found
        return {(200, FIRST): rows, **files(200), **told}


class DynamicQuery(TableView):
    first_shape = True
    schema = DynamicSchema()

    def list(self, request: Request) -> HttpResponseBase:
        if not self.lists_tables:
            return super().list(request)
        rows = information_schema.rows(self.parameters)
        return Response(rows, headers={"Cache-Control": "no-store"})  # no version says when it ends

    @cached_property
    def lists_tables(self) -> bool:
        return information_schema.is_named(self.request.query_params.get("table_name", ""))

    @cached_property
    def model(self) -> type[MirroredTable]:  # type: ignore[override]  # others are given theirs
        return _table(self.request.query_params.get("table_name", ""))

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The viewset's parameters for what is asked here."""
        asked = TableView.parameters.func(self)  # type: ignore[attr-defined]
        table = [n for n in asked if n.lower() == "table_name"]
        given = {n: v for n, v in asked.items() if n not in {*table, "where", "order_direction"}}
        among = information_schema.COLUMNS if self.lists_tables else columns.of(self.model)
        conditions = _conditions(among, asked.get("where", ""))
        if twice := sorted(given.keys() & conditions.keys()):
            raise BadQuery(f"{twice[0]} is given twice. Give it once.")
        order = _order(asked.get("order_by", ""), asked.get("order_direction", ""))
        return {**given, **conditions, **order}

    def body(self, asked: Query, version: TableVersion, page: Page) -> Any:
        return page.rows


def _table(name: str) -> type[MirroredTable]:
    if not name:
        raise BadQuery("table_name is missing.", tables.NAMES)
    try:
        return tables.by_name(name)
    except tables.UnknownName:
        raise UnknownTable(f"There is no table {name[:80]!r}.", tables.NAMES) from None


def _conditions(among: Columns, where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in split("where", where, among):
        if name in found:
            raise BadQuery(f"where: {name} is given twice. Give it once.")
        condition(among, name)  # a condition is on a column: `where=limit:5` is no limit
        found[name] = value
    return found


def _order(order_by: str, direction: str) -> dict[str, str]:
    """`order_by=a,b` with `order_direction=DESC` is `-a,-b`."""
    if direction.upper() not in ("", "ASC", "DESC"):
        raise BadQuery(f"order_direction: {direction[:40]!r} is no direction.", ["ASC", "DESC"])
    names = [name.strip() for name in order_by.split(",") if name.strip()]
    if direction.upper() == "DESC":
        names = [name if name.startswith("-") else f"-{name}" for name in names]
    return {"order_by": ",".join(names)}
