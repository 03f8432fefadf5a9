"""GraphQL error responses, with the messages and status codes of the REST API."""

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from flights.errors import Unavailable

NO_STORE = {"Cache-Control": "no-store"}


def response(data: dict[str, Any] | None, errors: Sequence[GraphQLError]) -> Response:
    """Make the response of an operation with errors.

    The HTTP status is 200 if at least one field has data, and otherwise that of the first error.
    `data` is None if the operation did not run.
    """
    formatted = [_format(error) for error in errors]
    failed = not data or all(value is None for value in data.values())
    status = formatted[0]["extensions"]["status"] if failed else 200
    body = {"errors": formatted} if data is None else {"errors": formatted, "data": data}
    waits = [e.original_error.wait for e in errors if isinstance(e.original_error, Unavailable)]
    retry_after = {"Retry-After": str(waits[0])} if waits and failed else {}
    return Response(body, status, headers={**NO_STORE, **retry_after})


def _format(error: GraphQLError) -> dict[str, Any]:
    """Format an error with the REST API's message and status; raise it if it is unexpected."""
    cause = error.original_error
    if isinstance(cause, APIException):
        detail: Any = cause.detail
        extensions = {"status": cause.status_code}
        extensions |= {name: value for name, value in detail.items() if name == "allowed"}
        return {**error.formatted, "message": detail["error"], "extensions": extensions}
    if cause and error.path and not isinstance(cause, GraphQLError):
        raise cause  # Django answers 500 without showing the exception's message
    return {**error.formatted, "extensions": {"status": 400}}


def from_problem(response: Response) -> Response:
    """Turn a response with problem details (RFC 9457) into one with GraphQL's `errors`."""
    problem = response.data
    extensions = {name: problem[name] for name in ("status", "allowed") if name in problem}
    response.data = {"errors": [{"message": problem["detail"], "extensions": extensions}]}
    response.content_type = None
    response["Cache-Control"] = NO_STORE["Cache-Control"]
    return response
