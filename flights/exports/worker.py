"""How a worker makes the files that were asked for.

A row is claimed, tells once a second how far its file is, and is done only when the whole file is
in the storage. Whatever stops in between leaves a row that `keeping` gives to another attempt, and
at most a file that nobody knows.
"""

import errno
import io
import logging
import uuid
from contextlib import closing
from datetime import timedelta

from django.conf import settings
from django.core.files import File
from django.db import InterfaceError, OperationalError, ProgrammingError, transaction
from django.utils import timezone
from psycopg.errors import UndefinedTable
from rest_framework.exceptions import APIException

from flights import errors, sqlstates
from flights.models import Export

from . import retention
from .claims import NOT_KEPT, Attempt, Reading
from .copy_out import CHUNK, Stopped
from .retention import STORAGE

PAUSE = 2  # seconds; twice as many after each attempt
log = logging.getLogger(__name__)


def work() -> None:
    """Make what is due, in turn, until nothing is or enough others make some."""
    while export := _claimed():
        _make(export)


def _claimed() -> Export | None:
    """The export that waited longest, taken for this process."""
    now = timezone.now()
    active = Export.objects.filter(status__in=Export.ACTIVE).order_by("asked_at")
    with transaction.atomic():
        there = list(active.select_for_update())
        running = [e for e in there if e.status == Export.Status.RUNNING]
        due = [e for e in there if e.status == Export.Status.QUEUED and e.due_at <= now]
        if not due or len(running) >= settings.EXPORTS_AT_ONCE:
            return None
        export = due[0]
        export.status, export.claim = Export.Status.RUNNING, uuid.uuid4()
        export.started_at = export.heartbeat_at = now
        export.rows_done, export.bytes = 0, 0
        export.attempts += 1
        export.save()
    return export


def _make(export: Export) -> None:
    try:
        with Attempt(export) as attempt, closing(attempt.chunks()) as chunks:
            STORAGE.save(export.stored, File(io.BufferedReader(Reading(chunks), CHUNK)))
            attempt.end()
    except Stopped:
        retention.discard([export])
        log.warning("%s was ended by others while it was made", export)
    except Exception as error:
        reason, passes = _reason(error)
        pause = timedelta(seconds=PAUSE * 2**export.attempts)
        if retention.give_back(export, reason, again=pause if passes else None):
            retention.discard([export])
        log.warning("%s: %s", export, reason, exc_info=error)
    else:
        log.info("%s: %d rows, %d bytes", export, export.rows_done, export.bytes)


def _reason(error: Exception) -> tuple[str, bool]:
    """What people are told, and whether the same may succeed later by itself."""
    match error:
        case APIException() | OperationalError() | InterfaceError():
            told = errors.answer(error, {})
            assert told
            refused_for_now = isinstance(error, APIException) and told.status_code == 503
            return str(told.data["detail"]), refused_for_now or sqlstates.is_transient(error)
        case ProgrammingError() if isinstance(error.__cause__, UndefinedTable):
            return NOT_KEPT, False
        case OSError() if error.errno == errno.ENOSPC:
            return "The storage of exports is full.", False
        case OSError():
            return "The storage of exports did not take the file.", True
    return "Something went wrong here; it has been logged.", False
