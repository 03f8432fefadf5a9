"""The downloaded months: one file for each release, named by its SHA-256, in the data folder.

A row of DownloadedMonth states which month a file contains. A process that is killed leaves at most
a part of a file, which the next download continues. One process downloads at a time.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from transfers import disk_errors
from transfers.exceptions import BadDownload, NotPublished
from transfers.models import DownloadedMonth

from . import http_file, monthly_zip, part
from .http_file import Progress
from .months import Month
from .part import Part

ADVICE = "Download it again; if it fails again, the file on the server is wrong."


@dataclass(frozen=True)
class Download:
    """The stored release of a month; `new` is False if it was stored before."""

    release: DownloadedMonth
    new: bool


def path(release: DownloadedMonth) -> Path:
    """The file of a release."""
    return folder() / f"{release.digest}.zip"


def folder() -> Path:
    directory: Path = settings.HOME / "months"
    return directory


def newest(month: Month) -> DownloadedMonth | None:
    """The release of a month that was downloaded last."""
    return DownloadedMonth.objects.filter(month=month.first_day).first()


def download(
    month: Month,
    progress: Progress = lambda received, total: None,
    *,
    force: bool = False,
    wait: Callable[[], object] = lambda: None,
) -> Download:
    """Download and store a month, unless its stored release is still the one that is published.

    `force` downloads it anyway. Calls `wait` before it waits for another process that downloads.
    Raises NotPublished, BadDownload, DownloadFailed or DiskError.
    """
    with disk_errors.reported(f"{month} cannot be stored"), _lock(wait):
        release = newest(month)
        is_stored = bool(release and path(release).exists())
        validator = release.validator if release and is_stored and not force else ""
        complete = _fetch(month, validator, progress)
        result = _store(month, release, complete) if complete else _confirmed(release)
        part.remove(folder(), str(month))
        return result


def _fetch(month: Month, validator: str, progress: Progress) -> Part | None:
    try:
        return http_file.fetch(month.url, folder(), str(month), validator, progress)
    except NotPublished as error:
        advice = "The DOT publishes a month about two months after its end."
        raise NotPublished(f"{month} is not published yet: {error}", advice=advice) from None


def _store(month: Month, release: DownloadedMonth | None, complete: Part) -> Download:
    """Check a complete file, record it and move it to its place, in this order.

    If the process is killed in between, the part stays complete, and the next download continues.
    """
    try:
        rows = monthly_zip.check(complete.path, month)
    except BadDownload as error:
        part.remove(folder(), str(month))
        error.advice = error.advice or ADVICE
        raise
    digest = _digest(complete.path)
    if release and release.digest == digest:
        os.replace(complete.path, path(release))
        return _confirmed(release, complete.validator)
    release = DownloadedMonth.objects.create(
        month=month.first_day,
        digest=digest,
        url=month.url,
        validator=complete.validator,
        bytes=complete.size,
        rows=rows,
    )
    os.replace(complete.path, path(release))
    return Download(release, True)


def _confirmed(release: DownloadedMonth | None, validator: str = "") -> Download:
    """Record that a release is still the published one."""
    assert release  # only a stored release can get a 304 or have the same digest
    release.checked_at = timezone.now()
    release.validator = validator or release.validator
    release.save(update_fields=["checked_at", "validator"])
    return Download(release, False)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        os.fsync(content.fileno())  # so that the stored file survives a power failure
        return hashlib.file_digest(content, "sha256").hexdigest()


@contextmanager
def _lock(wait: Callable[[], object]) -> Iterator[None]:
    """Hold the folder's lock. The kernel releases it when the process ends."""
    folder().mkdir(exist_ok=True)
    with (folder() / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
