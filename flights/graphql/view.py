"""The view of `/api/graphql`: GET, which caches may store, and POST; both only read."""

from contextlib import suppress

from graphql import ExecutionResult, execute_sync
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from flights import versions
from flights.access import throttles
from flights.errors import BadQuery, TooMany
from flights.web import caching, json_input
from flights.web.open_view import OpenView
from flights.web.renderers import JSON

from . import errors, openapi, parser
from .errors import NO_STORE
from .introspection import CountingExecutor
from .limits import InvalidRequest
from .operation import Operation
from .parser import Payload
from .schema import SCHEMA


class GraphQLJSON(JSON):
    """JSON with the media type of the GraphQL over HTTP specification."""

    media_type = "application/graphql-response+json"
    format = "graphql"


class GraphQL(OpenView):
    """Query the tables with GraphQL. All fields of a response read one version of each table."""

    renderer_classes = [JSON, GraphQLJSON]
    parser_classes = [json_input.JSON]  # for OpenAPI only: from_body limits the size first

    @openapi.GET
    def get(self, request: Request) -> Response:
        return self.respond(parser.from_url(request))

    @openapi.POST
    def post(self, request: Request) -> Response:
        return self.respond(parser.from_body(request))

    def respond(self, payload: Payload) -> Response:
        return versions.with_retry(lambda: self.respond_once(payload))

    def respond_once(self, payload: Payload) -> Response:
        operation = Operation.of(payload.models)
        headers = self.caching_headers(payload, operation)
        if "ETag" in headers and caching.unchanged(self.request.META, headers):
            return Response(status=304, headers=headers)
        result = self.execute(payload, operation)
        if result.errors:
            return errors.response(result.data, result.errors)
        return Response({"data": result.data}, headers=self.caching_headers(payload, operation))

    def execute(self, payload: Payload, operation: Operation) -> ExecutionResult:
        try:
            return execute_sync(
                SCHEMA,
                payload.document,
                context_value=operation,
                variable_values=payload.variables,
                operation_name=payload.name,
                executor_class=CountingExecutor,
            )
        finally:
            operation.end()
            self.charge(operation.requests - 1)  # the throttle has already counted one

    def charge(self, requests: int) -> None:
        """Add an operation's cost to the throttle, which can only refuse later requests."""
        if requests:
            with suppress(TooMany):
                throttles.charge(self.request.META, "query", requests)

    def caching_headers(self, payload: Payload, operation: Operation) -> dict[str, str]:
        """Return the versions read and, if caches may store the response, its ETag.

        They may store a GET that reads nothing but tables, each of which has a version.
        """
        if not operation.versions_read:
            return NO_STORE
        request = self.request
        url, media_type = caching.url(request.META), request.accepted_renderer.media_type
        headers = caching.headers(url, media_type, operation.versions_read.values())
        complete = len(operation.versions) == len(payload.models)
        if request.method in SAFE_METHODS and payload.cacheable and complete:
            return headers
        return {**NO_STORE, "X-AirSense-Version": headers["X-AirSense-Version"]}

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, InvalidRequest):
            return errors.response(None, exc.errors)
        if isinstance(exc, RecursionError):
            exc = BadQuery("The request is nested too deeply.")
        return errors.from_problem(super().handle_exception(exc))
