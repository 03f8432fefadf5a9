"""What tables there are, for programs: `/api/`."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import views
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from .filters import lookups
from .mirror import MirroredTable, public
from .models import PublishedTable
from .tables import TABLES
from .throttles import Throttle
from .versions import READER


class TableList(views.APIView):
    """Every table: where it is queried, its columns, and what is published of it."""

    name = "Tables"
    authentication_classes = []  # the same for everybody
    permission_classes = [AllowAny]
    throttle_classes = [Throttle]

    @extend_schema(operation_id="tables", tags=["Tables"], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        published = PublishedTable.objects.using(READER).select_related("current")
        current = {p.table: p for p in published}
        return Response([_described(model, current.get(model._meta.db_table)) for model in TABLES])


def _described(model: type[MirroredTable], published: PublishedTable | None) -> dict[str, Any]:
    columns = [
        {
            "name": public(f),
            "type": f.get_internal_type(),
            "meaning": f.help_text,
            "nullable": f.null,
            "operators": lookups(f),
            "facets": f.name in model.mirror.facets,
        }
        for f in model.columns()
    ]
    return {
        "table": model._meta.db_table,
        "about": model.__doc__,
        "url": f"/api/{model._meta.db_table}/",
        "version": published.current.number if published else None,
        "rows": published.current.rows if published else None,
        "source_version": published.current.source_version if published else None,
        "since": published.since if published else None,
        "columns": columns,
    }
