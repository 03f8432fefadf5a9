"""The query API: one viewset serves every table."""

from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db import models
from django.http.response import HttpResponseBase
from rest_framework import viewsets
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from flights import exports, versions
from flights.access.throttles import Throttle
from flights.errors import BadQuery
from flights.exports.renderers import FILES
from flights.mirror import RESERVED, MirroredTable
from flights.models import TableVersion
from flights.query import counting, limits, paging, query, sql_cache
from flights.query.filters import ColumnFilters, filterset
from flights.query.paging import Page
from flights.web import caching
from flights.web.renderers import JSON, Browsable

from .schema import TableSchema


class TableView(viewsets.ViewSet):
    """Rows of one table: filter, choose columns, sort and page them. `model` is the table."""

    model: type[MirroredTable] = None  # type: ignore[assignment]  # given by as_view(model=...)
    authentication_classes = []  # the same for everybody, so that any cache may keep it
    permission_classes = [AllowAny]
    throttle_classes = [Throttle]
    renderer_classes = [JSON, Browsable, *FILES]
    schema = TableSchema()

    @cached_property
    def parameters(self) -> dict[str, str]:
        """What is asked, each once, the reserved names in lower case."""
        given = self.request.query_params
        limits.at_most(limits.PARAMETERS, len(given), "parameters")
        asked: dict[str, str] = {}
        for given_as, values in given.lists():
            name = given_as.lower() if given_as.lower() in RESERVED else given_as
            if len(values) > 1 or name in asked:
                raise BadQuery(f"{name} is given {max(len(values), 2)} times. Give it once.")
            asked[name] = str(values[0])
        return asked

    def list(self, request: Request) -> HttpResponseBase:
        asked = query.read(self.model, self.parameters)
        filterset(self.model, self.parameters)  # what is unknown is refused before anything is read
        self.count = counting.asked_way(self.parameters)
        self.facets = counting.asked_facets(self.model, self.parameters)
        number = asked.position.version if asked.position else None
        return versions.read(self.model, lambda version: self.answer(asked, version), number)

    def answer(self, asked: query.Query, version: TableVersion) -> HttpResponseBase:
        headers = self.stated(asked, version)
        if caching.unchanged(self.request, headers):
            return Response(status=304, headers=headers)
        if self.request.accepted_renderer.format in exports.FORMATS:
            return exports.answer(self, asked, self.rows(version), version, headers)
        page = self.page(asked, version)
        headers["X-AirSense-More"] = str(page.next is not None).lower()
        body = self.body(asked, version, page)
        if self.count:
            headers |= self.counted(asked, version)
        if self.facets.fields:
            facets = counting.facets(self.facets, self.rows(version), version)
            body = {**body, "facets": facets}
        return Response(body, headers=headers)

    def counted(self, asked: query.Query, version: TableVersion) -> dict[str, str]:
        number = counting.count(self.count, asked, self.rows(version), version)
        return {"X-AirSense-Count": str(number), "X-AirSense-Count-Is": self.count}

    def page(self, asked: query.Query, version: TableVersion) -> Page:
        found = sql_cache.page(self.model, asked, version, self.parameters)
        if found is None:
            return paging.page(asked, self.rows(version), version)
        return paging.by_offset(asked, found)

    def rows(self, version: TableVersion) -> "models.QuerySet[Any]":
        """The rows that the filters keep."""
        rows = versions.rows(self.model, version)
        found: models.QuerySet[Any] = ColumnFilters().filter_queryset(self.request, rows, self)
        return found

    def stated(self, asked: query.Query, version: TableVersion) -> dict[str, str]:
        """Which version answers, and the limit that holds."""
        told = caching.headers(self.request, [version], exports.packed(self.request))
        return {**told, "X-AirSense-Limit": str(asked.limit)}

    def body(self, asked: query.Query, version: TableVersion, page: Page) -> Any:
        return {
            "table": version.table,
            "version": version.number,
            "limit": asked.limit,
            **page.place,
            "next": self.link(page.next),
            "previous": self.link(page.previous),
            "results": page.rows,
        }

    def link(self, to: dict[str, str] | None) -> str | None:
        """Another page of this query. Relative: an answer must not depend on the Host header."""
        return "?" + urlencode({**self.parameters, **to}) if to else None
