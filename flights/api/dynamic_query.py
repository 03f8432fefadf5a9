"""`/api/dynamic_query`: the query API with the parameters of the first AirSense.

    ?table_name=T&columns=a,b&where=Col:v,Col2__gte:v2&order_by=Col&order_direction=DESC&limit=N

The response is a bare list of objects; its headers state version and limit. The table
`information_schema.tables` lists the published tables.
"""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from flights import tables
from flights.errors import BadQuery
from flights.errors.responses import LEGACY
from flights.exports.renderers import FILES
from flights.mirror import MirroredTable
from flights.query import columns, params
from flights.query.columns import Columns
from flights.query.filters import column_operator, split
from flights.web.openapi import ApiSchema
from flights.web.problems import READING, first_errors, problems
from flights.web.renderers import JSON, Browsable

from . import information_schema
from .schema import MEANINGS, files
from .table_response import ListResponse
from .views import Params, TableView

ABOUT_WHERE = "Conditions that rows must meet: `City:Chicago, IL,Total_Arrivals__gte:4`."
SAME = ("columns", "order_by", "limit", "offset")
OWN = ("where", "order_direction")  # parameters that a table's address does not have


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
        return False  # get_response_serializers describes the whole response

    def get_response_serializers(self) -> Any:
        rows = {"type": "array", "items": {"type": "object", "additionalProperties": {}}}
        # The server refuses a long address before it knows the route, so in the usual shape.
        refusals = {**first_errors(*READING), **problems(414)}
        return {(200, LEGACY): rows, **files(200), **refusals}


class DynamicQuery(TableView):
    first_shape = True
    renderer_classes = [JSON, Browsable, *FILES]
    schema = DynamicSchema()

    response_class = ListResponse

    def list(self, request: Request) -> HttpResponseBase:
        if not information_schema.is_named(request.query_params.get("table_name", "")):
            return super().list(request)
        values = params.read(request.query_params.lists())
        rows = information_schema.rows(translated(values, information_schema.COLUMNS))
        # No version says when this list changes, so no cache may store it.
        return Response(rows, headers={"Cache-Control": "no-store"})

    def read(self, lists: Params) -> tuple[type[MirroredTable], dict[str, str]]:
        """The named table, and the same query in the parameters of the table's own address."""
        lists = list(lists)
        model = _table(next((values[-1] for name, values in lists if name == "table_name"), ""))
        values = translated(params.read(lists), columns.of(model))
        if values.get("facets", "").strip():
            table = model._meta.db_table
            raise BadQuery(f"dynamic_query returns a list without facets. Use /api/{table}/.")
        return model, values


def translated(values: dict[str, str], names: Columns) -> dict[str, str]:
    """The parameters of `dynamic_query` as those of a table's address.

    Raises BadQuery for a condition that is not on a column, and for one that is written twice.
    """
    own = {n: v for n, v in values.items() if n not in OWN and n.lower() != "table_name"}
    conditions = _conditions(names, values.get("where", ""))
    if twice := sorted(own.keys() & conditions.keys()):
        raise params.repeated(twice[0], 2)
    order = _order(values.get("order_by", ""), values.get("order_direction", ""))
    return {**own, **conditions, **order}


def _table(name: str) -> type[MirroredTable]:
    if not name:
        raise BadQuery("table_name is missing.", tables.NAMES)
    return tables.by_name(name)


def _conditions(names: Columns, where: str) -> dict[str, str]:
    conditions: dict[str, str] = {}
    for name, value in split("where", where, names):
        if name in conditions:
            raise params.repeated(f"where: {name}", 2)
        column_operator(names, name)  # `where=limit:5` is a mistake, not a limit
        conditions[name] = value
    return conditions


def _order(order_by: str, direction: str) -> dict[str, str]:
    """`order_by=a,b` with `order_direction=DESC` is `-a,-b`."""
    if direction.upper() not in ("", "ASC", "DESC"):
        raise BadQuery(f"order_direction: {direction[:40]!r} is unknown.", ["ASC", "DESC"])
    names = [name.strip() for name in order_by.split(",") if name.strip()]
    if direction.upper() == "DESC":
        names = [name if name.startswith("-") else f"-{name}" for name in names]
    return {"order_by": ",".join(names)}
