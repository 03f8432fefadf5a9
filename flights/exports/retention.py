"""Expire exports, remove their files, and retry exports whose worker died."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from flights import claims
from flights.models import Export

type Exports = "models.QuerySet[Export]"

STORAGE: Any = SimpleLazyObject(lambda: storages["exports"])  # a Folder or a Bucket
# Age at which a file without an export counts as orphaned. A worker may still be writing a younger
# one; no export takes this long.
ORPHANED_AFTER = timedelta(hours=1)
log = logging.getLogger(__name__)


def sweep() -> bool:
    """Apply all time limits of exports; returns whether a queued export is ready for a worker.

    Gives up exports whose worker died or that no worker started, removes the files of expired
    exports, and deletes exports that failed or expired `EXPORTS_KEPT_HOURS` ago.
    """
    _give_up_lost()
    long_ago = Now() - timedelta(hours=settings.EXPORTS_KEPT_HOURS)
    never_started = Export.objects.filter(status=Export.Status.QUEUED, asked_at__lt=long_ago)
    never_started.update(error="No worker started it in time.", **_failed())
    for export in Export.objects.filter(status=Export.Status.DONE, expires_at__lt=Now()):
        expire(export)
    ended = (Export.Status.FAILED, Export.Status.EXPIRED)
    Export.objects.filter(status__in=ended, expires_at__lt=long_ago).delete()
    due = Export.objects.filter(status=Export.Status.QUEUED, due_at__lte=Now())
    return due.exists()


def _give_up_lost() -> None:
    """Give up the running exports whose worker sends no heartbeat any more."""
    with claims.lost(Export, settings.EXPORT_LOST_AFTER) as exports:
        for export in exports:
            give_up(export, "The worker stopped unexpectedly.", retry_after=timedelta())
    discard(exports)


def give_up(export: Export, reason: str, retry_after: timedelta | None) -> bool:
    """End a failed attempt: queue the export again, or mark it as failed after its last attempt.

    `retry_after` is the pause before the next attempt; None if a retry cannot help. Returns False
    if this process has already lost the export to another one.
    """
    if retry_after is None or export.attempts >= settings.EXPORT_ATTEMPTS:
        return bool(claims.rows_of_claim(export).update(error=reason, **_failed()))
    return claims.release(export, error=reason, due_at=Now() + retry_after)


def _failed() -> dict[str, Any]:
    return {"status": Export.Status.FAILED, "finished_at": Now(), "expires_at": Now()}


def expire(export: Export) -> None:
    """Expire a done export and remove its file, unless a request has just extended its life."""
    done = Export.objects.filter(
        pk=export.pk, status=Export.Status.DONE, expires_at=export.expires_at
    )
    if done.update(status=Export.Status.EXPIRED):
        discard([export])


def forget_missing(reason: str) -> int:
    """End the exports of a restored database whose files do not exist; returns their number.

    A bucket may still have the files of those that are done.
    """
    active = Export.objects.filter(status__in=Export.ACTIVE)
    ended = active.update(error=reason, **_failed())
    done = Export.objects.filter(status=Export.Status.DONE)
    missing = [export.pk for export in done if not STORAGE.exists(export.stored)]
    return ended + done.filter(pk__in=missing).update(status=Export.Status.EXPIRED)


def remove(exports: Iterable[Export]) -> None:
    """Delete exports and their files. A worker that is making one stops within a second."""
    for export in list(exports):
        copy = Export(claim=export.claim, format=export.format)  # still names the file
        export.delete()
        discard([copy])


def discard(exports: Iterable[Export]) -> None:
    """Remove the files of exports. If the storage fails, `remove_orphans` removes them later."""
    for export in exports:
        if export.claim:
            try:
                STORAGE.delete(export.stored)
            except OSError as error:
                log.warning(
                    "could not remove %s; `remove_orphans` retries: %s", export.stored, error
                )


def remove_orphans() -> int:
    """Remove files without an export, and unfinished uploads; returns the number of files.

    Raises OSError if the storage fails.
    """
    before = timezone.now() - ORPHANED_AFTER
    owners = Export.objects.filter(status__in=[Export.Status.RUNNING, Export.Status.DONE])
    owned = {export.stored for export in owners.only("claim", "format")}
    orphans = [name for name in STORAGE.listdir("")[1] if name not in owned]
    orphans = [name for name in orphans if STORAGE.get_modified_time(name) < before]
    for name in orphans:
        STORAGE.delete(name)
    STORAGE.remove_unfinished(before)
    return len(orphans)
