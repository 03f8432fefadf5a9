"""Health endpoints: liveness, readiness and the state of single services."""

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from flights.errors.pages import page
from flights.models import PublishedTable
from flights.tables import NAMES

from . import replica, status, warehouse_check
from .checks import Check
from .gateway.watch import WATCH
from .status import State

WORDS = {True: "connected", False: "unreachable", None: "unknown"}


def live(request: HttpRequest) -> JsonResponse:
    """/healthz: the process can answer a request."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """/readyz: 200 if PostgreSQL answers the reader role and every table is published, else 503.

    A replica that lags is ready: each version that it serves is complete.
    """
    try:
        published, lag = _state.result()
    except (DatabaseError, TimeoutError):
        return JsonResponse({"status": "PostgreSQL does not answer"}, status=503)
    if missing := [name for name in NAMES if name not in published]:
        return JsonResponse({"status": "not transferred yet", "tables": missing}, status=503)
    replica_lag = {} if lag is None else {"replica_lag_seconds": round(lag, 1)}
    return JsonResponse({"status": "ok", **replica_lag})


def _published_tables() -> tuple[set[str], float | None]:
    """The published tables on the reader's server, and its lag in seconds if it is a replica."""
    published = PublishedTable.objects.using(WATCH).values_list("table", flat=True)
    return set(published), replica.seconds(WATCH)


_state = Check(_published_tables)


def connection(part: str, legacy_name: str = "") -> Callable[[HttpRequest], HttpResponse]:
    """Make a view that answers 200 if a part of airsense.status is up, else 503.

    The reason of a failure is shown only in the admin. `legacy_name` is the part's name in the
    response of the first AirSense, whose fields are then added.
    """

    @page
    @csrf_exempt  # a POST gets a 405 instead of a CSRF error
    @never_cache
    @require_safe
    def view(request: HttpRequest) -> JsonResponse:
        state = warehouse_check.state(request) if part == "warehouse" else status.of(part)
        payload: dict[str, Any] = {"status": WORDS[state.up], "part": part}
        if state.at:
            payload["checked_at"] = state.at
        if legacy_name:
            payload |= _legacy_fields(legacy_name, state)
        return JsonResponse(payload, status=200 if state.up else 503)

    return view


def _legacy_fields(legacy_name: str, state: State) -> dict[str, Any]:
    """The fields that clients of the first AirSense read."""
    name, texts = state.part, {True: "answers", False: "does not answer", None: "was not checked"}
    text = f"{name} {texts[state.up]}"
    return {f"{legacy_name} is connected": bool(state.up), "result" if state.up else "error": text}
