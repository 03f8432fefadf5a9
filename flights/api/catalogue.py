"""What tables there are and what each is, for programs: `/api/` and `/api/<table>/describe`."""

import hashlib
from typing import Any

import orjson
from django.conf import settings
from django.db import connections
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, views
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from flights import freshness
from flights.access.throttles import Throttle
from flights.mirror import Field, MirroredTable, column, public
from flights.models import PublishedTable, TableVersion
from flights.query import operators
from flights.tables import TABLES
from flights.versions import READER
from flights.web import caching
from flights.web.openapi import ApiSchema, Texts
from flights.web.problems import READING, problems


class Column(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = serializers.CharField(help_text="PostgreSQL's.")
    unit = serializers.CharField(allow_null=True, help_text="What a number counts or measures.")
    meaning = serializers.CharField()
    nullable = serializers.BooleanField()
    operators = Texts(help_text="Each negates with `not_` before it.")
    facets = serializers.BooleanField(help_text="Whether `facets=` counts its values.")


class Limits(serializers.Serializer[Any]):
    default_limit = serializers.IntegerField(help_text="Rows where a query names no limit.")
    max_limit = serializers.IntegerField(help_text="Rows of one answer; files have all.")
    timeout = serializers.FloatField(help_text="Seconds that a query may take.")


class Table(serializers.Serializer[Any]):
    """A table, and what is published of it: null where nothing is yet."""

    table = serializers.CharField()
    about = serializers.CharField()
    url = serializers.CharField()
    key = Texts(help_text="Columns that identify a row; none where none do.")
    order = serializers.CharField(help_text="How rows come where no `order_by` is given.")
    version = serializers.IntegerField(allow_null=True)
    rows = serializers.IntegerField(allow_null=True)
    source_version = serializers.CharField(
        allow_null=True, help_text="Version of the warehouse's table that it was read at."
    )
    transfer = serializers.IntegerField(allow_null=True, help_text="The transfer that made it.")
    since = serializers.DateTimeField(allow_null=True, help_text="When it was published.")
    confirmed_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was last found equal to its source."
    )
    fresh_within = serializers.FloatField(
        allow_null=True, help_text="Seconds in which it has to be found equal again."
    )
    stale = serializers.BooleanField(help_text="Whether that was longer ago.")
    limits = Limits()
    columns = Column(many=True)


class Catalogue(views.APIView):
    """Answers that change when time passes: no cache may keep them without asking."""

    authentication_classes = []  # the same for everybody
    permission_classes = [AllowAny]
    throttle_classes = [Throttle]

    def told(self, request: Request, said: Any) -> Response:
        digest = hashlib.sha256(orjson.dumps(said)).hexdigest()[:16]
        form = request.accepted_renderer.format
        headers = {"ETag": f'"{form}/{digest}"', "Cache-Control": "no-cache"}
        if caching.unchanged(request, headers):
            return Response(status=304, headers=headers)
        return Response(said, headers=headers)


class TableList(Catalogue):
    """Every table: where it is queried, its columns, and what is published of it."""

    name = "Tables"

    @extend_schema(
        operation_id="tables",
        tags=["Tables"],
        responses={200: Table(many=True), **problems(*READING)},
    )
    def get(self, request: Request) -> Response:
        return self.told(request, Table(described(TABLES), many=True).data)


class DescriptionSchema(ApiSchema):
    view: Any

    def get_operation_id(self) -> str:
        return f"{self.view.model._meta.db_table}_description"

    def get_summary(self) -> str:
        return f"What {self.view.model._meta.db_table} is"


class TableDescription(Catalogue):
    """One table: its columns, what is published of it, how fresh that is, and the limits."""

    name = "One table"
    schema = DescriptionSchema()

    model: type[MirroredTable] = None  # type: ignore[assignment]  # given by as_view(model=...)

    @extend_schema(tags=["Tables"], responses={200: Table, **problems(*READING)})
    def get(self, request: Request) -> Response:
        (table,) = described([self.model])
        return self.told(request, Table(table).data)


def described(models: list[type[MirroredTable]]) -> list[dict[str, Any]]:
    published = PublishedTable.objects.using(READER).select_related("current")
    current = {p.table: p for p in published}
    return [
        {
            "table": model._meta.db_table,
            "about": model.__doc__,
            "url": f"/api/{model._meta.db_table}/",
            "key": [column(model, name) for name in model.mirror.key],
            "order": ",".join(_order(model)),
            **_published(current.get(model._meta.db_table)),
            **_freshness(model, current.get(model._meta.db_table)),
            "limits": _limits(),
            "columns": [_column(model, field) for field in model.columns()],
        }
        for model in models
    ]


def _column(model: type[MirroredTable], field: Field) -> dict[str, Any]:
    return {
        "name": public(field),
        "type": field.db_type(connections[READER]),
        "unit": model.mirror.units.get(field.name),
        "meaning": field.help_text,
        "nullable": field.null,
        "operators": operators.names(field),
        "facets": field.name in model.mirror.facets,
    }


def _order(model: type[MirroredTable]) -> list[str]:
    return [
        ("-" if name.startswith("-") else "") + column(model, name.removeprefix("-"))
        for name in model.mirror.order
    ]


def _published(published: PublishedTable | None) -> dict[str, Any]:
    version = published.current if published else TableVersion()
    return {
        "version": version.number,
        "rows": version.rows,
        "source_version": version.source_version if published else None,
        "transfer": version.made_by,
        "since": published.since if published else None,
    }


def _freshness(model: type[MirroredTable], published: PublishedTable | None) -> dict[str, Any]:
    fresh = freshness.of(model, published)
    return {
        "confirmed_at": fresh.confirmed_at,
        "fresh_within": fresh.within and fresh.within.total_seconds(),
        "stale": fresh.stale,
    }


def _limits() -> dict[str, Any]:
    return {
        "default_limit": settings.DEFAULT_LIMIT,
        "max_limit": settings.MAX_LIMIT,
        "timeout": settings.READER_TIMEOUT_MS / 1000,
    }
