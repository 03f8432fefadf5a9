"""How long exports are kept, and what becomes of those whose worker is gone."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.db import models, transaction
from django.utils import timezone

from flights.models import Export

type Exports = "models.QuerySet[Export]"

STORAGE: Any = storages["exports"]  # a Folder or a Bucket
# Longer than the longest export: until then a file may be one that is being written.
ORPHANED_AFTER = timedelta(hours=1)
log = logging.getLogger(__name__)


def sweep() -> bool:
    """Give up, expire and forget what is due; returns whether an export waits to be made."""
    now, kept = timezone.now(), timedelta(hours=settings.EXPORTS_KEPT_HOURS)
    _reap(now - timedelta(seconds=settings.EXPORT_LOST_AFTER))
    never = Export.objects.filter(status=Export.Status.QUEUED, asked_at__lt=now - kept)
    never.update(error="No worker took it.", **_failed(now))
    for export in Export.objects.filter(status=Export.Status.DONE, expires_at__lt=now):
        expire(export)
    ended = (Export.Status.FAILED, Export.Status.EXPIRED)
    Export.objects.filter(status__in=ended, expires_at__lt=now - kept).delete()
    due = Export.objects.filter(status=Export.Status.QUEUED, due_at__lte=timezone.now())
    return due.exists()


def _reap(lost_at: datetime) -> None:
    """Queue again, or fail, what was claimed by a worker that is not heard of any more."""
    running = Export.objects.filter(status=Export.Status.RUNNING, heartbeat_at__lt=lost_at)
    with transaction.atomic():
        lost = list(running.select_for_update(skip_locked=True))
        for export in lost:
            give_back(export, "Its worker stopped in the middle.", again=timedelta())
    discard(lost)


def give_back(export: Export, reason: str, again: timedelta | None) -> bool:
    """End a claimed attempt: the export waits for the next, or fails. False where it has ended.

    `again` is how long it waits; None where another attempt has no sense.
    """
    now = timezone.now()
    mine = Export.objects.filter(pk=export.pk, claim=export.claim, status=Export.Status.RUNNING)
    if again is None or export.attempts >= settings.EXPORT_ATTEMPTS:
        return bool(mine.update(error=reason, **_failed(now)))
    return bool(mine.update(error=reason, status=Export.Status.QUEUED, due_at=now + again))


def _failed(now: datetime) -> dict[str, Any]:
    return {"status": Export.Status.FAILED, "finished_at": now, "expires_at": now}


def expire(export: Export) -> None:
    """Remove the file of a done export, unless somebody asked for it again just now."""
    done = Export.objects.filter(
        pk=export.pk, status=Export.Status.DONE, expires_at=export.expires_at
    )
    if done.update(status=Export.Status.EXPIRED):
        discard([export])


def remove(exports: Iterable[Export]) -> None:
    """Forget exports and their files; what makes one stops within a second."""
    for export in list(exports):
        stored = Export(claim=export.claim, format=export.format)
        export.delete()
        discard([stored])


def discard(exports: Iterable[Export]) -> None:
    """Remove files that no row will name. What cannot be removed now is an orphan later."""
    for export in exports:
        if export.claim:
            try:
                STORAGE.delete(export.stored)
            except OSError as error:
                log.warning("%s is not removed yet: %s", export.stored, error)


def remove_orphans() -> int:
    """Remove files that no export names, and halves of files; returns how many files."""
    before = timezone.now() - ORPHANED_AFTER
    owners = Export.objects.filter(status__in=[Export.Status.RUNNING, Export.Status.DONE])
    owned = {export.stored for export in owners.only("claim", "format")}
    orphans = [name for name in STORAGE.listdir("")[1] if name not in owned]
    orphans = [name for name in orphans if STORAGE.get_modified_time(name) < before]
    for name in orphans:
        STORAGE.delete(name)
    STORAGE.remove_halves(before)
    return len(orphans)
