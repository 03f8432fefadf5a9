"""API responses that report an error: problem details (RFC 9457). They never show SQL."""

import logging
from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError
from psycopg.errors import QueryCanceled
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler

from flights import sqlstates

from . import BadQuery, Unavailable

# The content types of problem details, and of errors in the shape of the first AirSense.
PROBLEM, LEGACY = "application/problem+json", "application/json"
# RFC 9110 renamed these statuses; `http` has the new names only since Python 3.13.
TITLES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
}
log = logging.getLogger(__name__)


def error_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler; None if the error is a defect in AirSense.

    A view with `first_shape = True` reports errors as the first AirSense did.
    """
    if isinstance(error, OperationalError | InterfaceError):
        error = _database_error(error)
    response = exception_handler(error, context)
    if response is None:
        return None
    legacy = getattr(context.get("view"), "first_shape", False)
    members = response.data if "error" in response.data else {"error": _sentence(response.data)}
    message = members.pop("error")
    body = legacy_error(message) if legacy else problem(message, response.status_code)
    response.data = {**body, **members}
    if getattr(getattr(context.get("request"), "accepted_renderer", None), "format", "") != "api":
        response.content_type = LEGACY if legacy else PROBLEM  # even if the client wants a file
    return response


def problem(detail: str, status: int, **members: Any) -> dict[str, Any]:
    """The body of a problem details response."""
    title = TITLES.get(status) or HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}


def legacy_error(message: str) -> dict[str, Any]:
    """The message under each name that clients of the first AirSense read."""
    return {"error": message, "message": message, "detail": message}


def _database_error(error: Exception) -> APIException:
    if isinstance(error.__cause__, QueryCanceled):
        return Unavailable("The query took too long. Request fewer rows, or add filters.", 1)
    if sqlstates.sqlstate(error).startswith(sqlstates.TOO_LARGE):
        return BadQuery("The query is too large for the database. Use fewer conditions or columns.")
    log.error("the database does not respond: %s", error)
    return Unavailable("The database does not respond at the moment.", 5)


def _sentence(data: Any) -> str:
    """A validation error as one sentence for each field: "City__in: ..."."""
    if isinstance(data, dict) and "detail" in data:
        return str(data["detail"])
    if isinstance(data, dict):
        return " ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in data.items())
    return str(data)
