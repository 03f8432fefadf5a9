"""What the public is told when a query cannot be answered: the reason and the cure, never SQL."""

import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.encoding import iri_to_uri
from django.utils.http import escape_leading_slashes
from psycopg.errors import QueryCanceled
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from . import sqlstates

PROBLEM, FIRST = "application/problem+json", "application/json"
log = logging.getLogger(__name__)


class BadQuery(exceptions.APIException):
    """A query that names something unknown, or a value that does not fit; 400."""

    status_code = 400

    def __init__(self, message: str, allowed: list[str] | None = None) -> None:
        super().__init__({"error": message, **({"allowed": allowed} if allowed else {})})


class UnknownTable(BadQuery):
    status_code = 404


class Gone(BadQuery):
    status_code = 410


class Unavailable(exceptions.APIException):
    """Something that passes: the same query can be answered later; 503."""

    status_code = 503

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__({"error": message})
        self.message = message
        self.wait = retry_after  # Django REST framework's name for the Retry-After header


class TooMany(Unavailable):
    status_code = 429


class BadKey(exceptions.APIException):
    """A key that is none, or none any more; 401."""

    status_code = 401
    auth_header = 'ApiKey realm="AirSense", header="X-API-Key"'  # as RFC 9110 wants with a 401

    def __init__(self, message: str) -> None:
        super().__init__({"error": message})


class NeverTransferred(Unavailable):
    def __init__(self, table: str) -> None:
        super().__init__(f"{table} has not been transferred from the warehouse yet.", 60)


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler: problem details (RFC 9457).

    The routes of the first AirSense, `first_shape`, have a shape of their own.
    """
    if isinstance(error, OperationalError | InterfaceError):
        error = _database_trouble(error)
    response = exception_handler(error, context)
    if response is None:
        return None
    said = response.data if "error" in response.data else {"error": _sentence(response.data)}
    first = getattr(context.get("view"), "first_shape", False)
    text = said.pop("error")
    response.data = (
        {**first_error(text), **said} if first else problem(text, response.status_code, **said)
    )
    if getattr(getattr(context.get("request"), "accepted_renderer", None), "format", "") != "api":
        response.content_type = FIRST if first else PROBLEM  # also where a file was asked for
    return response


def first_error(text: str) -> dict[str, Any]:
    """The names under which clients of the first AirSense look for the reason."""
    return {"error": text, "message": text, "detail": text}


def problem(detail: str, status: int, **more: Any) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}


def _database_trouble(error: Exception) -> exceptions.APIException:
    if isinstance(error.__cause__, QueryCanceled):
        return Unavailable("The query took too long. Ask for fewer rows, or filter more.", 1)
    if sqlstates.sqlstate(error).startswith(sqlstates.TOO_LARGE):
        return BadQuery("The query is too large for the database. Use fewer conditions or columns.")
    log.error("the database does not answer: %s", error)
    return Unavailable("The database does not answer at the moment.", 5)


def _sentence(data: Any) -> str:
    """A validation error by column as one sentence for each: "City__in: ..."."""
    if isinstance(data, dict) and "detail" in data:
        return str(data["detail"])
    if isinstance(data, dict):
        return " ".join(f"{name}: {' '.join(map(str, said))}" for name, said in data.items())
    return str(data)


def page(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A page that cannot be answered says the reason that the API would give."""

    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except (exceptions.APIException, OperationalError, InterfaceError) as error:
            told = answer(error, {})
            assert told
            return _shown(request, told.data["detail"], told.status_code, told.headers)

    return answered


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404; where only the slash at the end is wrong, 308 to the right address (RFC 9110)."""
    nothing = f"There is nothing at {request.path}."
    right = request.path[:-1] if request.path.endswith("/") else f"{request.path}/"
    # Of an address that is right, the view itself may say that it has nothing.
    if request.resolver_match or not _is_address(right):
        return refused(request, nothing, 404)
    response = refused(request, f"{nothing} The address is {right}", 308)
    query = request.META.get("QUERY_STRING", "")
    response["Location"] = iri_to_uri(escape_leading_slashes(right) + (query and f"?{query}"))
    return response


def _is_address(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(request, "This request cannot be read: its host or its parameters.", 400)


def failed(request: HttpRequest) -> HttpResponse:
    return refused(request, "Something went wrong here; it has been logged.", 500)


def refused(request: HttpRequest, message: str, status: int) -> HttpResponse:
    """A page for browsers, JSON for programs."""
    if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
        return _shown(request, message, status)
    return JsonResponse(problem(message, status), status=status, content_type=PROBLEM)


def _shown(request: HttpRequest, message: str, status: int, headers: Any = None) -> HttpResponse:
    response = render(request, "error.html", {"message": message, "status": status}, status=status)
    if headers and "Retry-After" in headers:
        response["Retry-After"] = headers["Retry-After"]
    return response
