"""Whether this process runs, whether it can answer queries, and which parts it reaches."""

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
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Ready when PostgreSQL answers the reader's role and every table has a version."""
    try:
        published = _published.result()
    except (DatabaseError, TimeoutError):
        return JsonResponse({"status": "PostgreSQL does not answer"}, status=503)
    if missing := [name for name in NAMES if name not in published]:
        return JsonResponse({"status": "not transferred yet", "tables": missing}, status=503)
    return JsonResponse({"status": "ok"})


def _tables() -> set[str]:
    return set(PublishedTable.objects.using(WATCH).values_list("table", flat=True))


_published = Check(_tables)


def connection(part: str, first_name: str = "") -> Callable[[HttpRequest], JsonResponse]:
    """A view that says whether a part answers; why it does not is for administrators alone.

    `first_name` is what the first AirSense calls the part.
    """

    @csrf_exempt  # nothing changes here; a POST is refused as what it is
    @never_cache
    @require_safe
    def view(request: HttpRequest) -> JsonResponse:
        up = status.of(part).up
        said: dict[str, Any] = {"status": "connected" if up else "unreachable", "part": part}
        if first_name:
            said |= _as_first(first_name, part, up)
        return JsonResponse(said, status=200 if up else 503)

    return view


def _as_first(first_name: str, part: str, up: bool) -> dict[str, Any]:
    """The fields that clients of the first AirSense read."""
    text = {"result": f"{part} answers"} if up else {"error": f"{part} does not answer"}
    return {f"{first_name} is connected": up, **text}
