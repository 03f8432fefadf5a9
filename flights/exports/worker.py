"""Make the files of queued exports in a worker process.

An export is done only after its whole file is in the storage. If a worker stops before that,
`retention` gives the export to another worker and removes the unfinished file.
"""

import errno
import io
import logging
from contextlib import closing
from datetime import timedelta

from django.conf import settings
from django.core.files import File
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.db.models import F, Q
from django.db.models.functions import Now
from psycopg.errors import UndefinedTable
from rest_framework.exceptions import APIException

from flights import claims, sqlstates
from flights.errors.responses import error_response
from flights.models import Export, TableVersion

from . import retention
from .attempt import VERSION_REMOVED, Attempt, ChunkReader
from .copy_out import CHUNK, Stopped
from .retention import STORAGE

NOT_REPLICATED = "The replica that is read does not have this version yet."
PAUSE = 2  # seconds before the next attempt; doubles with each attempt
log = logging.getLogger(__name__)


def work() -> None:
    """Make exports, oldest first, until none is due or `EXPORTS_AT_ONCE` run elsewhere."""
    while export := _claim_next():
        _make(export)


def _claim_next() -> Export | None:
    return claims.claim_next(
        Export.objects.order_by("asked_at"),
        at_once=settings.EXPORTS_AT_ONCE,
        due=Q(due_at__lte=Now()),
        attempts=F("attempts") + 1,
        rows_done=0,
        bytes=0,
    )


def _make(export: Export) -> None:
    try:
        with Attempt(export) as attempt, closing(attempt.chunks()) as chunks:
            STORAGE.save(export.stored, File(io.BufferedReader(ChunkReader(chunks), CHUNK)))
            attempt.finish()
    except Stopped:
        retention.discard([export])
        log.warning("%s was stopped: it was deleted, or given to another worker", export)
    except Exception as error:
        reason, retry = _explain(error, export)
        pause = timedelta(seconds=PAUSE * 2**export.attempts)
        if retention.give_up(export, reason, retry_after=pause if retry else None):
            retention.discard([export])
        log.warning("%s: %s", export, reason, exc_info=error)
    else:
        log.info("%s: %d rows, %d bytes", export, export.rows_done, export.bytes)


def _explain(error: Exception, export: Export) -> tuple[str, bool]:
    """The reason that people see, and whether another attempt can succeed."""
    match error:
        case APIException() | OperationalError() | InterfaceError():
            response = error_response(error, {})
            assert response
            unavailable = isinstance(error, APIException) and response.status_code == 503
            return str(response.data["detail"]), unavailable or sqlstates.is_transient(error)
        case ProgrammingError() if isinstance(error.__cause__, UndefinedTable):
            versions = TableVersion.objects.filter(table=export.table, number=export.number)
            return (NOT_REPLICATED, True) if versions.exists() else (VERSION_REMOVED, False)
        case OSError() if error.errno == errno.ENOSPC:
            return "The storage of exports is full.", False
        case OSError():
            return "The storage of exports did not take the file.", True
    return "The server failed. The error has been logged.", False
