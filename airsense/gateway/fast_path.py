"""The fast path of a cache miss: a page of a table's rows as JSON, without Django's requests.

Middleware, routing, content negotiation, and request and response objects take more time than a
query. For an anonymous read they only add headers, which this module adds. Other requests go
through Django. If a query fails here, the error is the response, so that no query runs twice.
"""

import io
from collections.abc import Callable
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

from airsense import cors, csp, hanging_database
from flights import versions
from flights.access import throttles
from flights.api import information_schema
from flights.api.dynamic_query import DynamicQuery
from flights.api.views import TableView
from flights.models import TableVersion
from flights.query.query import Query
from flights.tables import TABLES
from flights.web import caching
from flights.web.renderers import JSON

from .cache_key import Environ, Parameters
from .canonical_request import PARAMETERS
from .entry import Reply

type NewView = Callable[[], TableView]

VIEWS: dict[str, NewView] = {
    "/api/dynamic_query": DynamicQuery,
    **{f"/api/{model._meta.db_table}/": partial(TableView, model=model) for model in TABLES},
}
MEDIA_TYPES = ("*/*", "application/json")
VARY = ("Vary", "Accept")
HEADERS = [
    ("content-security-policy", csp.NOTHING),
    ("x-content-type-options", "nosniff"),
    *((name.lower(), value) for name, value in cors.HEADERS.items()),
]
if settings.SECURE_HSTS_SECONDS:
    HEADERS.append(("strict-transport-security", f"max-age={settings.SECURE_HSTS_SECONDS}"))


# Errors that a view turns into a response. Any other is a defect: Django logs it and responds 500.
EXPECTED = (APIException, Http404, OperationalError, InterfaceError)


def respond(environ: Environ) -> Reply | None:
    """The response that Django would give; None if the request has to go through Django."""
    new_view = VIEWS.get(environ["PATH_INFO"])
    simple = environ["REQUEST_METHOD"] == "GET" and environ.get("HTTP_ACCEPT", "*/*") in MEDIA_TYPES
    if new_view is None or not simple:
        return None
    lists = _lists(environ[PARAMETERS])
    if "format" in lists or information_schema.is_named(lists.get("table_name", [""])[-1]):
        return None
    view = new_view()
    try:
        with hanging_database.watch.watched():
            return _page(view, lists, environ)
    except Exception as error:  # noqa: BLE001  # becomes the response that Django would give
        return _error(view, error, environ)


def _lists(pairs: Parameters) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return lists


def _page(view: TableView, lists: dict[str, list[str]], environ: Environ) -> Reply:
    throttles.charge(environ, "query")
    model, params = view.read(lists.items())
    query = Query.read(model, params)

    def read(version: TableVersion) -> Reply:
        response = view.response_class(query, params, version)
        headers = response.headers(caching.url(environ), JSON.media_type)
        if caching.unchanged(environ, headers):
            return Reply("304 Not Modified", [*headers.items(), VARY, *HEADERS], io.BytesIO())
        more, body = response.read()
        content = JSON().render(body)
        headers |= {"Content-Type": JSON.media_type, "Content-Length": str(len(content)), **more}
        return Reply("200 OK", [*headers.items(), VARY, *HEADERS], io.BytesIO(content))

    return versions.read(model, read, query.version)


def _error(view: TableView, error: Exception, environ: Environ) -> Reply:
    """The response to an error, as Django and Django REST framework give and log it."""
    close_old_connections()  # the error may have broken a connection
    request = WSGIRequest(environ)
    respond = throttles.client_errors(partial(_error_response, view, error))
    response: Any = convert_exception_to_response(respond)(request)
    text = "%s: %s", response.reason_phrase, request.path
    log_response(*text, response=response, request=request)
    headers = {**response.headers, "Content-Length": str(len(response.content))}
    status = f"{response.status_code} {response.reason_phrase}"
    return Reply(status, [*headers.items(), *HEADERS], io.BytesIO(response.content))


def _error_response(view: TableView, error: Exception, request: WSGIRequest) -> Any:
    if not isinstance(error, EXPECTED):
        raise error
    view.request = Request(request)
    view.request.accepted_renderer = JSON()
    response: Any = view.handle_exception(error)
    response.headers["Vary"] = "Accept"
    response.accepted_renderer, response.accepted_media_type = JSON(), JSON.media_type
    response.renderer_context = {}
    return response.render()
