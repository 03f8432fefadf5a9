"""How a process takes a row to work on, shows that it still works, and is given up when it stops.

The model has `status`, `claim`, `started_at` and `heartbeat_at`. A claim is one conditional update,
so one process at most has a row. All that it writes later goes through `held`: a process that was
given up while it slept changes nothing any more.
"""

import logging
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self

from django.db import DatabaseError, connection, models
from django.db.models import Q
from django.utils import timezone

EVERY = 1.0  # seconds between two heartbeats
QUEUED, RUNNING = "queued", "running"
log = logging.getLogger(__name__)


def claim(row: Any) -> bool:
    """Take a queued row for this process; False where another has it, or it has ended."""
    now = timezone.now()
    queued = type(row)._default_manager.filter(pk=row.pk, status=QUEUED)
    taken = queued.update(status=RUNNING, claim=uuid.uuid4(), started_at=now, heartbeat_at=now)
    if taken:
        row.refresh_from_db()
    return bool(taken)


def held(row: Any) -> "models.QuerySet[Any]":
    """The row while this process has it; nothing once it ended or was given up."""
    rows: models.QuerySet[Any] = type(row)._default_manager.filter(
        pk=row.pk, claim=row.claim, status=RUNNING
    )
    return rows


def lost[M: models.Model](model: type[M], seconds: float) -> "models.QuerySet[M]":
    """The running rows whose process sent no heartbeat for so long."""
    late = timezone.now() - timedelta(seconds=seconds)
    silent = Q(heartbeat_at__lt=late) | Q(heartbeat_at=None, started_at__lt=late)
    return model._default_manager.filter(silent, status=RUNNING)


class Heartbeat:
    """Calls `beat` once a second while the block runs, from a thread with its own connection.

    The block's own connection may wait for a long statement, or hold a transaction.
    """

    def __init__(self, beat: Callable[[], object]) -> None:
        self._beat = beat
        self._wake = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._wake.set()
        self._thread.join()

    def soon(self) -> None:
        """Beat now, not at the next second."""
        self._wake.set()

    def _run(self) -> None:
        try:
            while not self._ended:
                self._wake.wait(EVERY)
                self._wake.clear()
                self._once()
        finally:
            connection.close()

    def _once(self) -> None:
        try:
            self._beat()
        except DatabaseError as error:
            # The block meets the same trouble, and decides what becomes of the row.
            log.warning("no heartbeat: %s", error)
            connection.close()
