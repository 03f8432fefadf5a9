"""Search of every column of every table, in the form of the first AirSense."""

from functools import reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import versions
from .errors import BadQuery, NeverTransferred
from .mirror import MirroredTable, public
from .models import TableVersion
from .tables import TABLES

LONGEST = 100  # characters of a query
ROWS = 100  # rows of each table in an answer, at most


class AdvancedSearch(APIView):
    """POST {"query": "chicago"}: the first rows of each table that hold it in any column.

    Whatever the case, and numbers as they are written: "10" finds 10.35.
    """

    authentication_classes = []
    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        wanted = _wanted(request.data)
        found = {model._meta.db_table: _search(model, wanted) for model in TABLES}
        return Response(found, headers={"X-AirSense-Limit": str(ROWS)})


def _wanted(body: Any) -> str:
    query = body.get("query") if isinstance(body, dict) else None
    if not isinstance(query, str) or not 0 < len(query.strip()) <= LONGEST or "\0" in query:
        raise BadQuery(f'Give {{"query": "..."}}: a text of 1 to {LONGEST} characters.')
    return query.strip()


def _search(model: type[MirroredTable], wanted: str) -> dict[str, Any]:
    """Matching rows in the table's order; none of a table that has no version yet."""
    fields = model.columns()

    def rows(version: TableVersion) -> list[list[Any]]:
        found = (
            versions.rows(model, version).annotate(**_texts(fields)).filter(_holds(fields, wanted))
        )
        names = [field.name for field in fields]
        return [list(row) for row in found.order_by("id").values_list(*names)[:ROWS]]

    try:
        hits = versions.read(model, rows)
    except NeverTransferred:
        hits = []
    return {"columns": [public(field) for field in fields], "rows": hits}


def _texts(fields: list["models.Field[Any, Any]"]) -> dict[str, Cast]:
    return {f"{field.name}_text": Cast(field.name, TextField()) for field in fields}


def _holds(fields: list["models.Field[Any, Any]"], wanted: str) -> Q:
    return reduce(or_, (Q(**{f"{field.name}_text__icontains": wanted}) for field in fields))
