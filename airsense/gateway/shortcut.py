"""The usual miss, a page of a table's rows as JSON, without the way through Django.

The viewset's own `list` answers. What is around it (middleware, addresses, negotiation) is a third
of a miss and changes nothing for an anonymous read but some headers, which are set here. All that
is unusual goes the usual way, and so does every error, to be told there.
"""

import io
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from rest_framework.request import Request

from airsense import policy
from flights import throttles
from flights.api import TableView
from flights.dynamic_query import DynamicQuery
from flights.renderers import JSON
from flights.tables import TABLES

from .answers import Reply
from .questions import Environ

VIEWS: dict[str, tuple[type[TableView], dict[str, Any]]] = {
    "/api/dynamic_query": (DynamicQuery, {}),
    **{f"/api/{model._meta.db_table}/": (TableView, {"model": model}) for model in TABLES},
}
FORMS = ("*/*", "application/json")
ADDED = [
    ("content-security-policy", policy.NOTHING),
    ("x-content-type-options", "nosniff"),
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "*"),
    ("vary", "Accept"),
]
if settings.SECURE_HSTS_SECONDS:
    ADDED.append(("strict-transport-security", f"max-age={settings.SECURE_HSTS_SECONDS}"))


def answer(environ: Environ) -> Reply | None:
    """What Django would answer; None where it has to be asked."""
    known = VIEWS.get(environ["PATH_INFO"])
    usual = environ["REQUEST_METHOD"] == "GET" and environ.get("HTTP_ACCEPT", "*/*") in FORMS
    if known is None or not usual:
        return None
    request = Request(WSGIRequest(environ))
    if "format" in request.query_params:
        return None
    view, options = known
    try:
        return _answered(view(**options), request)
    except Exception:  # noqa: BLE001  # Django comes upon it again, and tells or logs it
        return None


def _answered(view: TableView, request: Request) -> Reply:
    request.accepted_renderer = JSON()
    throttles.charge(request, "query")
    request.META[throttles.CHARGED] = True
    view.request = request
    response: Any = view.list(request)
    status = f"{response.status_code} {response.reason_phrase}"
    body = JSON().render(response.data)
    response.headers["Content-Type"] = JSON.media_type  # Django's own is that of a page
    response.headers["Content-Length"] = str(len(body))
    return Reply(status, [*response.items(), *ADDED], io.BytesIO(body))
