"""Log files of the data folder: each day's is set aside, and forgotten after 30 days.

They can hold what people asked: PostgreSQL writes the statements that it had to end.
"""

import logging
import os
import shutil
import time
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

logger = logging.getLogger(__name__)

KEPT = 29 * 86_400  # seconds after the last line of a file, which holds those of a day


def begin(folder: Path) -> None:
    """Before logs are written again: set aside those of earlier days, and forget what is old."""
    _forget(folder)  # first, as a full disk may have no room to set anything aside
    for log in folder.glob("*.log"):
        if _written(log) < datetime.now(UTC).date():
            _set_aside(log)
    _forget(folder)  # again: the last line of a log may be older than 30 days


def rotate(folder: Path) -> None:
    """While logs are written: set aside once a day what they hold, and forget what is old.

    Who has a log open goes on, as all append to it; a line of the moment in which it is emptied can
    be lost.
    """
    _forget(folder)
    for log in folder.glob("*.log"):
        if not _aside(log).exists():
            _set_aside(log)


def _set_aside(log: Path) -> None:
    """Move a log's lines to the file of their day; a disk without room for both leaves the log."""
    aside, facts = _aside(log), log.stat()
    if not facts.st_size:
        return
    before = aside.stat().st_size if aside.exists() else 0
    try:
        with log.open("rb") as lines, aside.open("ab") as all_lines:
            shutil.copyfileobj(lines, all_lines)
    except OSError as error:
        with suppress(OSError):
            os.truncate(aside, before)
        logger.warning("%s stays as it is: %s", log, error)
        return
    os.utime(aside, (facts.st_mtime, facts.st_mtime))
    os.truncate(log, 0)


def _forget(folder: Path) -> None:
    for aside in folder.glob("*.log.*"):
        if aside.stat().st_mtime < time.time() - KEPT:
            aside.unlink()


def _aside(log: Path) -> Path:
    return log.with_name(f"{log.name}.{_written(log)}")


def _written(log: Path) -> date:
    """The day of the last line."""
    return datetime.fromtimestamp(log.stat().st_mtime, UTC).date()
