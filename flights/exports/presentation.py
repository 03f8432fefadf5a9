"""What people are told of an export."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from flights.models import Export

from . import repr_digest
from .retention import STORAGE


def told(export: Export) -> dict[str, Any]:
    """What the row says, and what follows from its state."""
    now = timezone.now()
    said = {
        "id": export.pk,
        "status": status(export, now),
        **{name: getattr(export, name) for name in ("table", "version", "query", "format")},
        **{
            name: getattr(export, name) for name in ("asked_at", "rows_done", "rows_total", "bytes")
        },
    }
    match said["status"]:
        case Export.Status.RUNNING:
            return {**said, **speed(export, now)}
        case Export.Status.DONE:
            return {**said, **_result(export)}
        case Export.Status.FAILED | Export.Status.QUEUED if export.error:
            return {**said, "error": export.error}
    return said


def status(export: Export, now: datetime) -> str:
    """As the next sweep will have it: a late file has expired, what lost its worker waits again."""
    lost_at = now - timedelta(seconds=settings.EXPORT_LOST_AFTER)
    match export.status:
        case Export.Status.DONE if (export.expires_at or now) < now:
            return Export.Status.EXPIRED
        case Export.Status.RUNNING if (export.heartbeat_at or now) < lost_at:
            return Export.Status.QUEUED
    return export.status


def speed(export: Export, now: datetime) -> dict[str, int | None]:
    """Rows a second so far, and seconds left where that can be said."""
    took = (now - export.started_at).total_seconds() if export.started_at else 0.0
    rate = export.rows_done / took if took > 0 else 0.0
    left = (export.rows_total or 0) - export.rows_done
    return {"rows_per_second": round(rate), "seconds_left": round(left / rate) if rate else None}


def limits() -> dict[str, int]:
    """The limits that hold for all exports."""
    return {
        "waiting": settings.EXPORTS_WAITING,
        "at_once": settings.EXPORTS_AT_ONCE,
        "kept_hours": settings.EXPORTS_KEPT_HOURS,
        "bytes_of_all": settings.EXPORTS_MAX_BYTES,
    }


def link(export: Export) -> str:
    """Where a done export is downloaded, by anybody who has this link, until it expires."""
    assert export.expires_at
    return str(STORAGE.link(export, export.expires_at))


def _result(export: Export) -> dict[str, Any]:
    return {
        "filename": export.filename,
        "digest": repr_digest(bytes.fromhex(export.digest)),
        "url": link(export),
        "expires_at": export.expires_at,
    }
