"""The query API: one viewset serves every table."""

from collections.abc import Iterable
from functools import partial

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
from flights.query.query import Query
from flights.web import caching
from flights.web.filter_page import TablePage
from flights.web.renderers import JSON

from .schema import TableSchema
from .table_response import TableResponse

type Params = Iterable[tuple[str, list[str]]]  # names and values, as the client wrote them


class TableView(viewsets.ViewSet):
    """Rows of one table, filtered, sorted and paged."""

    model: type[MirroredTable] = None  # type: ignore[assignment]  # as_view(model=...) sets it
    authentication_classes = []  # everybody gets the same response, so any cache may store it
    permission_classes = [AllowAny]
    throttle_classes = [Throttle]
    renderer_classes = [JSON, TablePage, *FILES]
    schema = TableSchema()

    response_class = TableResponse

    def read(self, lists: Params) -> tuple[type[MirroredTable], dict[str, str]]:
        """The table of a request and the parameters of its query."""
        return self.model, params.read(lists)

    def list(self, request: Request) -> HttpResponseBase:
        model, values = self.read(request.query_params.lists())
        query = Query.read(model, values)
        return versions.read(model, partial(self.respond, query, values), query.version)

    def respond(
        self, query: Query, values: dict[str, str], version: TableVersion
    ) -> HttpResponseBase:
        """The response from one version: a page as JSON, a file, or 304."""
        request = self.request
        renderer, variant = request.accepted_renderer, exports.content_encoding(request)
        response = self.response_class(query, values, version)
        headers = response.headers(caching.url(request.META), renderer.media_type, variant)
        if caching.unchanged(request.META, headers):
            return Response(status=304, headers=headers)
        if renderer.format in exports.FORMATS:
            return exports.respond(request, query, version, headers)
        more, body = response.read()
        return Response(body, headers=headers | more)
