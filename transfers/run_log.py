"""Store the last log lines of each transfer and job in the database, without secrets.

Workers run on several machines, and the admin shows the lines on any of them while they run. A line
is logged by the thread that runs the transfer or job, or added by it.
"""

import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import Error
from django.utils import timezone

from flights.log_secrets import Redaction

from .exceptions import TransferError
from .models import RunLog, Transfer, WarehouseJob

LINES = 200  # of a run; the oldest ones are dropped
LONGEST_LINE = 2_000  # characters
LARGEST = 64_000  # characters of a log
RETENTION = timedelta(days=30)  # as for log files (docs/public.md)
log = logging.getLogger(__name__)

type Run = Transfer | WarehouseJob


class Recorder(logging.Handler):
    """Records lines of some transfers or of a job during a block; `save` writes them.

    A line belongs to the transfer that `current` returns, or to all if it returns None.
    """

    def __init__(self, runs: Iterable[Run], current: Callable[[], Run | None]) -> None:
        super().__init__(logging.INFO)
        self._current, self._thread = current, threading.get_ident()
        self._runs = {run.pk: run for run in runs}
        self._lines = {pk: _stored(run) for pk, run in self._runs.items()}
        self._changed: set[int] = set()
        self._adding, self._saving = threading.Lock(), threading.Lock()
        self._redact = Redaction(settings.LOG_SECRETS)

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        try:
            self.save()
        except Error as error:  # the log must not change the result of the run
            log.warning("the last lines of a log are lost: %s", error)

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.add(f"{record.levelname} {self.format(record)}")

    def add(self, text: str, run: Run | None = None) -> None:
        """Add lines, which begin with the time."""
        now = f"{timezone.now():%Y-%m-%d %H:%M:%S} UTC"
        lines = [line[:LONGEST_LINE] for line in self._redact(text).splitlines()]
        run = run or self._current()
        owners = {run.pk} if run else set(self._lines)
        with self._adding:
            for pk in owners & self._lines.keys():
                self._lines[pk].extend(f"{now} {line}" for line in lines)
                self._changed.add(pk)

    def save(self) -> None:
        """Write the logs that have new lines since the last call; raises Error of the database."""
        with self._saving:
            with self._adding:
                changed, self._changed = self._changed, set()
                texts = {pk: "\n".join(self._lines[pk])[-LARGEST:] for pk in changed}
            try:
                for pk, text in texts.items():
                    RunLog.objects.update_or_create({"text": text}, **_key(self._runs[pk]))
            except Error:
                self._changed |= changed  # for the next attempt
                raise


def text_of(run: Run) -> str:
    """The log of a run; empty if nothing was logged."""
    return RunLog.objects.filter(**_key(run)).values_list("text", flat=True).first() or ""


def details(error: BaseException) -> str:
    """The log's text about an error: its message and advice, or the traceback of a bug."""
    if isinstance(error, TransferError):
        return f"ERROR {error.full_message}"
    return f"ERROR {''.join(traceback.format_exception(error))}"


def forget() -> None:
    """Delete the logs of runs that ended long ago."""
    RunLog.objects.filter(updated_at__lt=timezone.now() - RETENTION).delete()


def _stored(run: Run) -> deque[str]:
    """The lines of earlier attempts."""
    return deque(text_of(run).splitlines(), maxlen=LINES)


def _key(run: Run) -> dict[str, Any]:
    return {"transfer" if isinstance(run, Transfer) else "job": run}
