"""Error pages for browsers, and Django's handlers of 400, 404 and 500 (see airsense/urls.py)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.encoding import iri_to_uri
from django.utils.http import escape_leading_slashes
from rest_framework.exceptions import APIException

from .responses import PROBLEM, error_response, problem


def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a view to show its errors as pages, with the API's message and status."""

    @wraps(view)
    def view_or_error_page(request: HttpRequest, **parts: str) -> HttpResponse:
        try:
            return view(request, **parts)
        except (APIException, OperationalError, InterfaceError) as error:
            return error_page(request, error)

    return view_or_error_page


def error_page(request: HttpRequest, error: Exception) -> HttpResponse:
    """Show an error of a request, or of the database, as a page."""
    response = error_response(error, {})
    assert response
    status, headers = response.status_code, response.headers
    return _error_page(request, response.data, status, headers)


def refuse(request: HttpRequest, message: str, status: int) -> HttpResponse:
    """Report an error as a page to a browser, and as problem details to a program."""
    if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
        return _error_page(request, {"detail": message}, status)
    return JsonResponse(problem(message, status), status=status, content_type=PROBLEM)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, "The request is invalid: check its host and its parameters.", 400)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without a valid CSRF token; for a wrong origin, the settings to check."""
    origin = request.META.get("HTTP_ORIGIN", "")
    if not (reason.startswith("Origin checking failed") and origin.startswith("http")):
        return refuse(request, "The form has expired. Load its page again, and allow cookies.", 403)
    return refuse(
        request,
        f"The form was sent from {origin}, but the server knows itself as"
        f" {request.scheme}://{request.get_host()}. If both are the same site, its operator must"
        " set HTTPS=true (if a proxy sets X-Forwarded-Proto) or"
        f" CSRF_TRUSTED_ORIGINS={origin} (if the proxy changes the host).",
        403,
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404; a redirect (308, RFC 9110) if only the trailing slash is wrong."""
    message = f"There is nothing at {request.path}."
    other = request.path[:-1] if request.path.endswith("/") else f"{request.path}/"
    # If a view raised the 404, the path matched: the thing that it names is missing.
    if request.resolver_match or not _has_view(other):
        return refuse(request, message, 404)
    response = refuse(request, f"{message} The address is {other}", 308)
    query = request.META.get("QUERY_STRING", "")
    response["Location"] = iri_to_uri(escape_leading_slashes(other) + (query and f"?{query}"))
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    return refuse(request, "The server failed. The error has been logged.", 500)


def _has_view(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def _error_page(
    request: HttpRequest, details: dict[str, Any], status: int, headers: Any = None
) -> HttpResponse:
    """A page with the message and the allowed values of problem details."""
    context = {"message": details["detail"], "allowed": details.get("allowed"), "status": status}
    response = render(request, "error.html", context, status=status)
    if headers and "Retry-After" in headers:
        response["Retry-After"] = headers["Retry-After"]
    return response
