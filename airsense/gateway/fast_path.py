"""The usual miss, a page of a table's rows as JSON, without the way through Django.

The viewset's own `list` answers. What is around it (middleware, addresses, negotiation) is a third
of a miss and changes nothing for an anonymous read but some headers, which are set here. Unusual
requests go the usual way. An error is answered here: a query that failed does not run again.
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
FORMS = ("*/*", "application/json")
ADDED = [
    ("content-security-policy", csp.NOTHING),
    ("x-content-type-options", "nosniff"),
    *((name.lower(), value) for name, value in cors.HEADERS.items()),
]
if settings.SECURE_HSTS_SECONDS:
    ADDED.append(("strict-transport-security", f"max-age={settings.SECURE_HSTS_SECONDS}"))


# Errors that a view turns into an answer. Any other is a defect: Django logs it and answers 500.
EXPECTED = (APIException, Http404, OperationalError, InterfaceError)


def answer(environ: Environ) -> Reply | None:
    """The answer that Django would give; None where Django has to give it."""
    known = VIEWS.get(environ["PATH_INFO"])
    usual = environ["REQUEST_METHOD"] == "GET" and environ.get("HTTP_ACCEPT", "*/*") in FORMS
    if known is None or not usual:
        return None
    request = WSGIRequest(environ)
    if "format" in request.GET:
        return None
    view, options = known
    counted = throttles.client_errors(partial(_response, view(**options)))
    response: Any = convert_exception_to_response(counted)(request)
    if response.status_code >= 400:
        text = "%s: %s", response.reason_phrase, request.path
        log_response(*text, response=response, request=request)
    return _reply(response)


def _response(view: TableView, request: WSGIRequest) -> Any:
    """The view's rows, or its answer to an error, as Django REST framework makes them."""
    view.request = Request(request)
    view.request.accepted_renderer = JSON()
    try:
        throttles.charge(view.request, "query")
        response: Any = view.list(view.request)
    except EXPECTED as error:
        close_old_connections()  # the error may have broken one; Django looks after each request
        response = view.handle_exception(error)
    response.headers["Vary"] = "Accept"
    response.accepted_renderer, response.accepted_media_type = JSON(), JSON.media_type
    response.renderer_context = {}
    return response.render()


def _reply(response: Any) -> Reply:
    response.headers["Content-Length"] = str(len(response.content))
    status = f"{response.status_code} {response.reason_phrase}"
    return Reply(status, [*response.items(), *ADDED], io.BytesIO(response.content))
