"""Whether this process runs, and whether it can answer queries."""

from django.db import DatabaseError, connections
from django.http import HttpRequest, JsonResponse

from flights.models import PublishedTable
from flights.tables import NAMES
from flights.versions import READER


def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Ready when PostgreSQL answers the reader's role and every table has a version."""
    try:
        published = set(PublishedTable.objects.using(READER).values_list("table", flat=True))
    except DatabaseError:
        connections[READER].close()
        return JsonResponse({"status": "PostgreSQL does not answer"}, status=503)
    if missing := [name for name in NAMES if name not in published]:
        return JsonResponse({"status": "not transferred yet", "tables": missing}, status=503)
    return JsonResponse({"status": "ok"})
