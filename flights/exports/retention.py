"""Expire exports, remove their files, and queue exports again whose worker died."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.db import models
from django.utils import timezone

from flights import claims
from flights.models import Export

type Exports = "models.QuerySet[Export]"

STORAGE: Any = storages["exports"]  # a Folder or a Bucket
# A younger file without an export may be one that a worker writes now: no export takes so long.
ORPHANED_AFTER = timedelta(hours=1)
log = logging.getLogger(__name__)


def sweep() -> bool:
    """Give up, expire and delete exports that are due; returns whether a queued export is due."""
    _reap()
    now, retention = timezone.now(), timedelta(hours=settings.EXPORTS_KEPT_HOURS)
    never_claimed = Export.objects.filter(status=Export.Status.QUEUED, asked_at__lt=now - retention)
    never_claimed.update(error="No worker took it.", **_failed(now))
    for export in Export.objects.filter(status=Export.Status.DONE, expires_at__lt=now):
        expire(export)
    ended = (Export.Status.FAILED, Export.Status.EXPIRED)
    Export.objects.filter(status__in=ended, expires_at__lt=now - retention).delete()
    due = Export.objects.filter(status=Export.Status.QUEUED, due_at__lte=timezone.now())
    return due.exists()


def _reap() -> None:
    """Queue exports again whose worker died, or fail them after their last attempt."""
    with claims.lost(Export, settings.EXPORT_LOST_AFTER) as exports:
        for export in exports:
            give_up(export, "Its worker stopped in the middle.", retry_after=timedelta())
    discard(exports)


def give_up(export: Export, reason: str, retry_after: timedelta | None) -> bool:
    """End an attempt: queue the export again, or fail it after its last attempt.

    `retry_after` is the pause before the next attempt; None if a retry cannot help. Returns False
    if another process gave the attempt up before.
    """
    now = timezone.now()
    if retry_after is None or export.attempts >= settings.EXPORT_ATTEMPTS:
        return bool(claims.held(export).update(error=reason, **_failed(now)))
    return claims.release(export, error=reason, due_at=now + retry_after)


def _failed(now: datetime) -> dict[str, Any]:
    return {"status": Export.Status.FAILED, "finished_at": now, "expires_at": now}


def expire(export: Export) -> None:
    """Remove the file of a done export, unless a request extended its life meanwhile."""
    done = Export.objects.filter(
        pk=export.pk, status=Export.Status.DONE, expires_at=export.expires_at
    )
    if done.update(status=Export.Status.EXPIRED):
        discard([export])


def remove(exports: Iterable[Export]) -> None:
    """Delete exports and their files; a worker that makes one stops within a second."""
    for export in list(exports):
        stored = Export(claim=export.claim, format=export.format)
        export.delete()
        discard([stored])


def discard(exports: Iterable[Export]) -> None:
    """Remove the files of exports; `remove_orphans` later removes those that fail now."""
    for export in exports:
        if export.claim:
            try:
                STORAGE.delete(export.stored)
            except OSError as error:
                log.warning("%s is not removed yet: %s", export.stored, error)


def remove_orphans() -> int:
    """Remove files without an export, and unfinished uploads; returns the number of files."""
    before = timezone.now() - ORPHANED_AFTER
    owners = Export.objects.filter(status__in=[Export.Status.RUNNING, Export.Status.DONE])
    owned = {export.stored for export in owners.only("claim", "format")}
    orphans = [name for name in STORAGE.listdir("")[1] if name not in owned]
    orphans = [name for name in orphans if STORAGE.get_modified_time(name) < before]
    for name in orphans:
        STORAGE.delete(name)
    STORAGE.remove_halves(before)
    return len(orphans)
