"""Describe the tables to programs: `/api/` lists all, `/api/<table>/describe` returns one."""

import hashlib
from typing import Any

import orjson
from django.conf import settings
from django.db import connections
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from flights import freshness
from flights.mirror import Field, MirroredTable, column, public
from flights.models import PublishedTable, TableVersion
from flights.query import operators
from flights.tables import TABLES
from flights.versions import READER
from flights.web import caching
from flights.web.open_view import OpenView
from flights.web.openapi import ApiSchema, Texts
from flights.web.problems import READING, problems


class Column(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = serializers.CharField(help_text="PostgreSQL type.")
    unit = serializers.CharField(allow_null=True, help_text="Unit of a numeric column.")
    meaning = serializers.CharField()
    nullable = serializers.BooleanField()
    operators = Texts(help_text="Operators of filters; `not_` before one negates it.")
    facets = serializers.BooleanField(help_text="Whether `facets=` can count its values.")


class CheckResult(serializers.Serializer[Any]):
    """The result of a quality check of the current version."""

    check = serializers.CharField(help_text="What must hold.")
    severity = serializers.CharField(help_text="What a failure does: `block` or `warn`.")
    status = serializers.CharField(help_text="`passed`, `failed` or `skipped`.")
    rows = serializers.IntegerField(allow_null=True, help_text="Rows that break it.")


class Limits(serializers.Serializer[Any]):
    default_limit = serializers.IntegerField(help_text="Rows of a page if the query has no limit.")
    max_limit = serializers.IntegerField(help_text="Maximum rows of a page; files have all rows.")
    timeout = serializers.FloatField(help_text="Maximum seconds of a query.")


class Table(serializers.Serializer[Any]):
    """A table and its current version; fields of the version are null until one is published."""

    table = serializers.CharField()
    about = serializers.CharField()
    url = serializers.CharField()
    key = Texts(help_text="Columns that identify a row; empty if rows have no key.")
    order = serializers.CharField(help_text="Order of rows without `order_by`.")
    version = serializers.IntegerField(allow_null=True)
    rows = serializers.IntegerField(allow_null=True)
    source_version = serializers.CharField(
        allow_null=True, help_text="Version of the warehouse table that was read."
    )
    transfer = serializers.IntegerField(
        allow_null=True, help_text="The transfer that created the version."
    )
    since = serializers.DateTimeField(allow_null=True, help_text="When the version was published.")
    confirmed_at = serializers.DateTimeField(
        allow_null=True, help_text="When the version was last verified to equal the warehouse."
    )
    fresh_within = serializers.FloatField(
        allow_null=True,
        help_text="Seconds after `confirmed_at` until the table is stale; null: never.",
    )
    stale = serializers.BooleanField(
        help_text="Whether the last verification is older than `fresh_within`."
    )
    checks = CheckResult(many=True, help_text="Quality checks of the current version.")
    checks_overridden = serializers.BooleanField(
        help_text="Whether it was published in spite of a failed check that blocks."
    )
    limits = Limits()
    columns = Column(many=True)


class Catalogue(OpenView):
    """Base of both views: their responses also change with time, so caches must revalidate them."""

    def respond(self, request: Request, payload: Any) -> Response:
        """The response with an ETag of its content, or 304 if the client already has it."""
        digest = hashlib.sha256(orjson.dumps(payload)).hexdigest()[:16]
        format_ = request.accepted_renderer.format
        headers = {"ETag": f'"{format_}/{digest}"', "Cache-Control": "no-cache"}
        if caching.unchanged(request.META, headers):
            return Response(status=304, headers=headers)
        return Response(payload, headers=headers)


class TableList(Catalogue):
    """All tables with their URLs, columns, current versions and limits."""

    name = "Tables"

    @extend_schema(
        operation_id="tables",
        tags=["Tables"],
        responses={200: Table(many=True), **problems(*READING)},
    )
    def get(self, request: Request) -> Response:
        return self.respond(request, Table(describe(TABLES), many=True).data)


class DescriptionSchema(ApiSchema):
    """The OpenAPI operation of `TableDescription`; each table has one."""

    view: Any

    def get_operation_id(self) -> str:
        return f"{self.view.model._meta.db_table}_description"

    def get_summary(self) -> str:
        return f"Describe {self.view.model._meta.db_table}"


class TableDescription(Catalogue):
    """One table with its columns, current version, freshness and limits."""

    name = "One table"
    schema = DescriptionSchema()

    model: type[MirroredTable] = None  # type: ignore[assignment]  # set by as_view(model=...)

    @extend_schema(tags=["Tables"], responses={200: Table, **problems(*READING)})
    def get(self, request: Request) -> Response:
        (table,) = describe([self.model])
        return self.respond(request, Table(table).data)


def describe(models: list[type[MirroredTable]]) -> list[dict[str, Any]]:
    """The fields of `Table` for each model, in the same order."""
    current = freshness.published(READER)
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
        "checks": version.checks or [],
        "checks_overridden": version.override is not None,
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
