"""Errors as GraphQL has them, saying what the rest of the API says."""

from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from flights.errors import Unavailable

NEVER_KEPT = {"Cache-Control": "no-store"}


def answer(data: dict[str, Any] | None, found: Iterable[GraphQLError]) -> Response:
    """The status is that of the first error where nothing was answered."""
    told = [_error(error) for error in found]
    nothing = not data or all(value is None for value in data.values())
    status = told[0]["extensions"]["status"] if nothing else 200
    body = {"errors": told} if data is None else {"errors": told, "data": data}
    waits = [e.original_error.wait for e in found if isinstance(e.original_error, Unavailable)]
    later = {"Retry-After": str(waits[0])} if waits and nothing else {}
    return Response(body, status, headers={**NEVER_KEPT, **later})


def _error(error: GraphQLError) -> dict[str, Any]:
    """One error with what the rest of the API would say. What nobody foresaw is not shown."""
    cause = error.original_error
    if isinstance(cause, APIException):
        said: Any = cause.detail
        told = {"status": cause.status_code, **{n: v for n, v in said.items() if n == "allowed"}}
        return {**error.formatted, "message": said["error"], "extensions": told}
    if cause and error.path and not isinstance(cause, GraphQLError):
        raise cause
    return {**error.formatted, "extensions": {"status": 400}}


def of_problem(response: Response) -> Response:
    """Problem details as GraphQL has them."""
    said = response.data
    more = {name: said[name] for name in ("status", "allowed") if name in said}
    response.data = {"errors": [{"message": said["detail"], "extensions": more}]}
    response.content_type = None
    response["Cache-Control"] = NEVER_KEPT["Cache-Control"]
    return response
