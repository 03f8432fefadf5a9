"""The fields of an export, and its current status, as clients see them."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from flights import claims
from flights.models import Export

from . import repr_digest
from .retention import STORAGE

FIELDS = ("table", "version", "query", "format", "asked_at", "rows_done", "rows_total", "bytes")


def describe(export: Export, now: datetime) -> dict[str, Any]:
    """The fields of an export. Some exist only in one status: a running export has a speed."""
    fields = {
        "id": export.pk,
        "status": status(export, now),
        **{name: getattr(export, name) for name in FIELDS},
    }
    match fields["status"]:
        case Export.Status.RUNNING:
            return {**fields, **speed(export)}
        case Export.Status.DONE:
            return {**fields, **_file(export)}
        case Export.Status.FAILED | Export.Status.QUEUED if export.error:
            return {**fields, "error": export.error}
    return fields


def status(export: Export, now: datetime) -> str:
    """The export's status now, even if no sweep has stored it yet: expired, or queued again.

    An export is queued again if its worker died. `now` is a time of PostgreSQL's clock.
    """
    lost_at = now - timedelta(seconds=settings.EXPORT_LOST_AFTER)
    match export.status:
        case Export.Status.DONE if (export.expires_at or now) < now:
            return Export.Status.EXPIRED
        case Export.Status.RUNNING if (export.heartbeat_at or now) < lost_at:
            return Export.Status.QUEUED
    return export.status


def speed(export: Export) -> dict[str, int | None]:
    """Rows per second so far, and the estimated seconds left; None if no rows are done yet."""
    seconds = claims.worked(export).total_seconds()
    rate = export.rows_done / seconds if seconds else 0.0
    rows_left = (export.rows_total or 0) - export.rows_done
    seconds_left = round(rows_left / rate) if rate else None
    return {"rows_per_second": round(rate), "seconds_left": seconds_left}


def limits() -> dict[str, int]:
    """The limits of all exports together: queued, running, hours until a file expires, bytes."""
    return {
        "waiting": settings.EXPORTS_WAITING,
        "at_once": settings.EXPORTS_AT_ONCE,
        "kept_hours": settings.EXPORTS_KEPT_HOURS,
        "bytes_of_all": settings.EXPORTS_MAX_BYTES,
    }


def link(export: Export) -> str:
    """The URL of a done export's file. Anybody who has the link can download until it expires."""
    assert export.expires_at
    return str(STORAGE.link(export, export.expires_at))


def _file(export: Export) -> dict[str, Any]:
    return {
        "filename": export.filename,
        "digest": repr_digest(bytes.fromhex(export.digest)),
        "url": link(export),
        "expires_at": export.expires_at,
    }
