"""Rotate the log files of the data folder once a day, and delete them after 30 days.

Logs can contain the queries of people, because PostgreSQL logs statements that it cancels. Why this
is not `logging.handlers`: docs/adr/0005-log-files-are-rotated-by-copying.md.
"""

import logging
import os
import shutil
import time
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

logger = logging.getLogger(__name__)

RETENTION = 29 * 86_400  # seconds after the last line of a rotated file, which holds one day


def begin(folder: Path) -> None:
    """Rotate logs of earlier days before processes write to them again."""
    _delete_old(folder)  # first, because a full disk may have no room for a copy
    for log in folder.glob("*.log"):
        if _last_day(log) < datetime.now(UTC).date():
            _rotate(log)
    _delete_old(folder)  # again: the last line of a log may be older than 30 days


def rotate(folder: Path) -> None:
    """Rotate each log once a day while processes write to it.

    They append to the same, now empty, file. A line written between copying and emptying is lost.
    """
    _delete_old(folder)
    for log in folder.glob("*.log"):
        if not _rotated(log).exists():
            _rotate(log)


def _rotate(log: Path) -> None:
    """Move a log's lines to the file of their day; without room for a copy, leave the log."""
    rotated, stat = _rotated(log), log.stat()
    if not stat.st_size:
        return
    size_before = rotated.stat().st_size if rotated.exists() else 0
    try:
        with log.open("rb") as source, rotated.open("ab") as target:
            shutil.copyfileobj(source, target)
    except OSError as error:
        with suppress(OSError):
            os.truncate(rotated, size_before)
        logger.warning("%s is not rotated: %s", log, error)
        return
    os.utime(rotated, (stat.st_mtime, stat.st_mtime))
    os.truncate(log, 0)


def _delete_old(folder: Path) -> None:
    for rotated in folder.glob("*.log.*"):
        if rotated.stat().st_mtime < time.time() - RETENTION:
            rotated.unlink()


def _rotated(log: Path) -> Path:
    """Where the lines of a log go, such as `worker.log.2026-11-26`."""
    return log.with_name(f"{log.name}.{_last_day(log)}")


def _last_day(log: Path) -> date:
    """The day of the last line, in UTC."""
    return datetime.fromtimestamp(log.stat().st_mtime, UTC).date()
