"""Whether this process runs, whether it can answer queries, and which parts it reaches."""

from collections.abc import Callable

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


def connection(part: str) -> Callable[[HttpRequest], JsonResponse]:
    """A view that says whether a part answers; why it does not is for administrators alone."""

    @csrf_exempt  # nothing changes here; a POST is refused as what it is
    @never_cache
    @require_safe
    def view(request: HttpRequest) -> JsonResponse:
        up = status.of(part).up
        said = {"status": "connected" if up else "unreachable", "part": part}
        return JsonResponse(said, status=200 if up else 503)

    return view
