"""The search endpoints: `GET /api/search` and `POST /api/advanced_search`."""

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from flights import tables, versions
from flights.errors import BadQuery
from flights.web import caching
from flights.web.open_view import OpenView
from flights.web.params import required, single_values
from flights.web.problems import first_errors, problems
from flights.web.renderers import JSON, Browsable

from . import search
from .response_headers import SOURCES, response_headers
from .serializers import FIRST_ROWS, SearchAnswer

PARAMETERS = {"q", "table", "limit", "offset", "format"}


class Search(OpenView):
    """Values and rows that contain the words, the best matches first."""

    throttle_scope = "search"
    renderer_classes = [JSON, Browsable]

    @extend_schema(
        operation_id="search",
        tags=["Search"],
        parameters=[
            OpenApiParameter("q", required=True, description=search.ABOUT_Q),
            OpenApiParameter("table", enum=tables.NAMES, description="Search only this table."),
            OpenApiParameter("limit", int, description=search.ABOUT_LIMIT),
            OpenApiParameter("offset", int, description="Skip the first values and rows."),
        ],
        responses={200: SearchAnswer, **problems(400, 401, 403, 404, 406, 414, 429, 503)},
    )
    def get(self, request: Request) -> Response:
        params = single_values(request.query_params)
        if unknown := params.keys() - PARAMETERS:
            raise BadQuery(f"There is no parameter {min(unknown)[:80]!r}.", sorted(PARAMETERS))
        query = search.read(params)
        return versions.with_retry(lambda: self.respond(request, query))

    def respond(self, request: Request, query: search.SearchQuery) -> Response:
        current = search.current_versions(query.models)
        headers = response_headers(request, [*query.models, *SOURCES])
        headers["X-AirSense-Limit"] = str(query.limit)
        if caching.unchanged(request.META, headers):
            return Response(status=304, headers=headers)
        return Response(search.results(query, current), headers=headers)


class AdvancedSearch(OpenView):
    """POST {"query": "chicago"}: the first rows of each table that contain the text in any column.

    Each row is an object; tables without a matching row are left out. Case is ignored, and numbers
    are compared as text: "10" matches 10.35.
    """

    first_shape = True
    throttle_scope = "search"

    @extend_schema(
        operation_id="advanced_search",
        tags=["First AirSense"],
        request=inline_serializer("AdvancedSearch", {"query": serializers.CharField()}),
        responses={
            200: {"type": "object", "additionalProperties": FIRST_ROWS},
            **first_errors(400, 401, 403, 404, 406, 415, 429, 503),
            **problems(413, 414),
        },
    )
    def post(self, request: Request) -> Response:
        text = search.validated_text(required(request, "query"))
        matches = versions.with_retry(lambda: search.first_rows(text))
        if not matches:
            raise NotFound("No matching records found.")
        return Response(matches, headers={"X-AirSense-Limit": str(search.MOST)})
