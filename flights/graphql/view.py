"""`/api/graphql` over HTTP: GET, which caches may keep, and POST; both only read."""

from contextlib import suppress

from graphql import ExecutionResult, execute_sync
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flights import versions
from flights.access import throttles
from flights.access.throttles import Throttle
from flights.errors import BadQuery, TooMany
from flights.web import caching, json_input
from flights.web.renderers import JSON

from . import errors, openapi, parser
from .errors import NEVER_KEPT
from .introspection import Counted
from .limits import Refused
from .operation import Operation
from .parser import Asked
from .schema import SCHEMA


class GraphQLJSON(JSON):
    """The type that GraphQL over HTTP has of its own."""

    media_type = "application/graphql-response+json"
    format = "graphql"


class GraphQL(APIView):
    """The same tables and queries by GraphQL: one version of each table in one answer."""

    authentication_classes = []  # the same for everybody
    permission_classes = [AllowAny]
    throttle_classes = [Throttle]
    renderer_classes = [JSON, GraphQLJSON]
    parser_classes = [json_input.JSON]  # for the description; bodies are read within their limit

    @openapi.GET
    def get(self, request: Request) -> Response:
        return self.answer(parser.by_address(request))

    @openapi.POST
    def post(self, request: Request) -> Response:
        return self.answer(parser.by_body(request))

    def answer(self, payload: Asked) -> Response:
        return versions.with_retry(lambda: self.answer_once(payload))

    def answer_once(self, payload: Asked) -> Response:
        operation = Operation.of(payload.models)
        headers = self.stated(payload, operation)
        if "ETag" in headers and caching.unchanged(self.request, headers):
            return Response(status=304, headers=headers)
        result = self.execute(payload, operation)
        if result.errors:
            return errors.answer(result.data, result.errors)
        return Response({"data": result.data}, headers=self.stated(payload, operation))

    def execute(self, payload: Asked, operation: Operation) -> ExecutionResult:
        try:
            return execute_sync(
                SCHEMA,
                payload.document,
                context_value=operation,
                variable_values=payload.variables,
                operation_name=payload.name,
                executor_class=Counted,
            )
        finally:
            operation.end()
            self.charge(operation.requests - 1)  # the throttle counted one before

    def charge(self, requests: int) -> None:
        """Count what the operation cost. This answer is ready; the throttle refuses the next."""
        if requests:
            with suppress(TooMany):
                throttles.charge(self.request, "query", requests)

    def stated(self, payload: Asked, operation: Operation) -> dict[str, str]:
        """Which versions answer. A GET's answer may be kept as long as these are current."""
        if not operation.read:
            return NEVER_KEPT
        told = caching.headers(self.request, operation.read.values())
        whole = len(operation.versions) == len(payload.models)
        keeps = self.request.method in SAFE_METHODS and payload.kept and whole
        return told if keeps else {**NEVER_KEPT, "X-AirSense-Version": told["X-AirSense-Version"]}

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refused):
            return errors.answer(None, exc.errors)
        if isinstance(exc, RecursionError):
            exc = BadQuery("The request is nested too deeply.")
        return errors.of_problem(super().handle_exception(exc))
