"""Health endpoints: liveness, readiness and the state of single services."""

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from flights.models import PublishedTable
from flights.tables import NAMES

from . import status
from .checks import Check
from .gateway.watch import WATCH


def live(request: HttpRequest) -> JsonResponse:
    """/healthz: the process can answer a request."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """/readyz: 200 if PostgreSQL answers the reader role and every table is published, else 503."""
    try:
        published = _published.result()
    except (DatabaseError, TimeoutError):
        return JsonResponse({"status": "PostgreSQL does not answer"}, status=503)
    if missing := [name for name in NAMES if name not in published]:
        return JsonResponse({"status": "not transferred yet", "tables": missing}, status=503)
    return JsonResponse({"status": "ok"})


def _published_tables() -> set[str]:
    return set(PublishedTable.objects.using(WATCH).values_list("table", flat=True))


_published = Check(_published_tables)


def connection(part: str, legacy_name: str = "") -> Callable[[HttpRequest], JsonResponse]:
    """Make a view that answers 200 if a part of airsense.status is up, else 503.

    The reason of a failure is shown only in the admin. `legacy_name` is the part's name in the
    response of the first AirSense, whose fields are then added.
    """

    @csrf_exempt  # a POST gets a 405 instead of a CSRF error
    @never_cache
    @require_safe
    def view(request: HttpRequest) -> JsonResponse:
        up = status.of(part).up
        payload: dict[str, Any] = {"status": "connected" if up else "unreachable", "part": part}
        if legacy_name:
            payload |= _legacy_fields(legacy_name, part, up)
        return JsonResponse(payload, status=200 if up else 503)

    return view


def _legacy_fields(legacy_name: str, part: str, up: bool) -> dict[str, Any]:
    """The fields that clients of the first AirSense read."""
    text = {"result": f"{part} answers"} if up else {"error": f"{part} does not answer"}
    return {f"{legacy_name} is connected": up, **text}
