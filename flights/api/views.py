"""The query API: one viewset serves every table."""

from functools import cached_property, partial
from typing import Any
from urllib.parse import urlencode

from django.http.response import HttpResponseBase
from rest_framework import viewsets
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from flights import exports, versions
from flights.access.throttles import Throttle
from flights.exports.renderers import FILES
from flights.mirror import MirroredTable
from flights.models import TableVersion
from flights.query import params
from flights.query.paging import Page
from flights.query.query import Query
from flights.web import caching
from flights.web.renderers import JSON, Browsable

from .schema import TableSchema


class TableView(viewsets.ViewSet):
    """Rows of one table, filtered, sorted and paged."""

    model: type[MirroredTable] = None  # type: ignore[assignment]  # as_view(model=...) sets it
    authentication_classes = []  # everybody gets the same answer, so any cache may store it
    permission_classes = [AllowAny]
    throttle_classes = [Throttle]
    renderer_classes = [JSON, Browsable, *FILES]
    schema = TableSchema()

    @cached_property
    def params(self) -> dict[str, str]:
        """The parameters of the table's query."""
        return params.read(self.request.query_params.lists())

    def list(self, request: Request) -> HttpResponseBase:
        query = Query.read(self.model, self.params)
        return versions.read(self.model, partial(self.answer, query), query.version)

    def answer(self, query: Query, version: TableVersion) -> HttpResponseBase:
        """The response from one version: a page as JSON, a file, or 304."""
        headers = self.version_headers(query, version)
        if caching.unchanged(self.request, headers):
            return Response(status=304, headers=headers)
        if self.request.accepted_renderer.format in exports.FORMATS:
            return exports.answer(self.request, query, version, headers)
        page = query.page(version)
        headers["X-AirSense-More"] = str(page.next is not None).lower()
        body = self.body(query, version, page)
        if query.count_way:
            headers["X-AirSense-Count"] = str(query.count(version))
            headers["X-AirSense-Count-Is"] = query.count_way
        if query.facet_columns:
            body = {**body, "facets": query.facets(version)}
        return Response(body, headers=headers)

    def version_headers(self, query: Query, version: TableVersion) -> dict[str, str]:
        """The headers that name the version and the limit."""
        headers = caching.headers(self.request, [version], exports.content_encoding(self.request))
        return {**headers, "X-AirSense-Limit": str(query.limit)}

    def body(self, query: Query, version: TableVersion, page: Page) -> Any:
        return {
            "table": version.table,
            "version": version.number,
            "limit": query.limit,
            **({} if page.offset is None else {"offset": page.offset}),
            "next": self.link(page.next),
            "previous": self.link(page.previous),
            "results": page.rows,
        }

    def link(self, changes: dict[str, str] | None) -> str | None:
        """Another page of this query. Relative, so that the body does not depend on Host."""
        return "?" + urlencode({**self.params, **changes}) if changes else None
