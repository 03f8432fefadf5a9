"""`/api/graphql` over HTTP: GET, which caches may keep, and POST; both only read."""

from contextlib import suppress

from graphql import ExecutionResult, execute_sync
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flights import parsing, stated, throttles, versions
from flights.errors import BadQuery, TooMany
from flights.renderers import JSON
from flights.throttles import Throttle

from . import asked, failures, openapi
from .asked import Asked
from .failures import NEVER_KEPT
from .introspection import Counted
from .limits import Refused
from .operation import Operation
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
    parser_classes = [parsing.JSON]  # for the description; bodies are read within their limit

    @openapi.GET
    def get(self, request: Request) -> Response:
        return self.answer(asked.by_address(request))

    @openapi.POST
    def post(self, request: Request) -> Response:
        return self.answer(asked.by_body(request))

    def answer(self, asked: Asked) -> Response:
        return versions.twice(lambda: self.answer_once(asked))

    def answer_once(self, asked: Asked) -> Response:
        operation = Operation.of(asked.models)
        headers = self.stated(asked, operation)
        if "ETag" in headers and stated.unchanged(self.request, headers):
            return Response(status=304, headers=headers)
        result = self.execute(asked, operation)
        if result.errors:
            return failures.answer(result.data, result.errors)
        return Response({"data": result.data}, headers=self.stated(asked, operation))

    def execute(self, asked: Asked, operation: Operation) -> ExecutionResult:
        try:
            return execute_sync(
                SCHEMA,
                asked.document,
                context_value=operation,
                variable_values=asked.variables,
                operation_name=asked.name,
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

    def stated(self, asked: Asked, operation: Operation) -> dict[str, str]:
        """Which versions answer. A GET's answer may be kept as long as these are current."""
        if not operation.read:
            return NEVER_KEPT
        told = stated.headers(self.request, operation.read.values())
        whole = len(operation.versions) == len(asked.models)
        keeps = self.request.method in SAFE_METHODS and asked.kept and whole
        return told if keeps else {**NEVER_KEPT, "X-AirSense-Version": told["X-AirSense-Version"]}

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refused):
            return failures.answer(None, exc.errors)
        if isinstance(exc, RecursionError):
            exc = BadQuery("The request is nested too deeply.")
        return failures.of_problem(super().handle_exception(exc))
