"""The fast path of a cache miss: a page of a table's rows as JSON, without Django's middleware.

Middleware, URL routing and content negotiation take a third of a miss. For an anonymous read they
only add headers, which this module adds. Other requests go through Django. If a query fails here,
the error is the response, so that no query runs twice.
"""

import io
from functools import partial
from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest
from django.db import InterfaceError, OperationalError, close_old_connections
from django.http import Http404
from django.utils.log import log_response
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from airsense import cors, csp
from flights.access import throttles
from flights.api.dynamic_query import DynamicQuery
from flights.api.views import TableView
from flights.tables import TABLES
from flights.web.renderers import JSON

from .cache_key import Environ
from .entry import Reply

VIEWS: dict[str, tuple[type[TableView], dict[str, Any]]] = {
    "/api/dynamic_query": (DynamicQuery, {}),
    **{f"/api/{model._meta.db_table}/": (TableView, {"model": model}) for model in TABLES},
}
MEDIA_TYPES = ("*/*", "application/json")
HEADERS = [
    ("content-security-policy", csp.NOTHING),
    ("x-content-type-options", "nosniff"),
    *((name.lower(), value) for name, value in cors.HEADERS.items()),
]
if settings.SECURE_HSTS_SECONDS:
    HEADERS.append(("strict-transport-security", f"max-age={settings.SECURE_HSTS_SECONDS}"))


# Errors that a view turns into a response. Any other is a defect: Django logs it and responds 500.
EXPECTED = (APIException, Http404, OperationalError, InterfaceError)


def answer(environ: Environ) -> Reply | None:
    """The response that Django would give; None if the request has to go through Django."""
    route = VIEWS.get(environ["PATH_INFO"])
    simple = environ["REQUEST_METHOD"] == "GET" and environ.get("HTTP_ACCEPT", "*/*") in MEDIA_TYPES
    if route is None or not simple:
        return None
    request = WSGIRequest(environ)
    if "format" in request.GET:
        return None
    view, options = route
    respond = throttles.client_errors(partial(_response, view(**options)))
    response: Any = convert_exception_to_response(respond)(request)
    if response.status_code >= 400:
        text = "%s: %s", response.reason_phrase, request.path
        log_response(*text, response=response, request=request)
    return _reply(response)


def _response(view: TableView, request: WSGIRequest) -> Any:
    """The view's response, or its response to an error, as Django REST framework renders it."""
    view.request = Request(request)
    view.request.accepted_renderer = JSON()
    try:
        throttles.charge(view.request, "query")
        response: Any = view.list(view.request)
    except EXPECTED as error:
        close_old_connections()  # the error may have broken a connection
        response = view.handle_exception(error)
    response.headers["Vary"] = "Accept"
    response.accepted_renderer, response.accepted_media_type = JSON(), JSON.media_type
    response.renderer_context = {}
    return response.render()


def _reply(response: Any) -> Reply:
    response.headers["Content-Length"] = str(len(response.content))
    status = f"{response.status_code} {response.reason_phrase}"
    return Reply(status, [*response.items(), *HEADERS], io.BytesIO(response.content))
