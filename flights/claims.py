"""Claims: how worker processes share a table of jobs without doing any job twice.

The model has the columns `status`, `claim`, `started_at` and `heartbeat_at`. A process claims a
queued row by one conditional UPDATE, so at most one process succeeds. It sends a heartbeat every
second while it works. If the heartbeats stop, another process gives the row up (`lost`). Later
writes of the first process go through `rows_of_claim`, and then change nothing. All times are those
of PostgreSQL's clock, because the clocks of machines differ.

For work of a few seconds a row lock is enough (`lock_next`): PostgreSQL drops it with the process.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Self, cast

from django.db import Error, connection, models, transaction
from django.db.models import Q
from django.db.models.functions import Now

INTERVAL = 1.0  # seconds between two heartbeats
# The shortest time between two (s): phases of small tables follow each other within milliseconds.
PAUSE = 0.1
QUEUED, RUNNING = "queued", "running"
log = logging.getLogger(__name__)


def now() -> datetime:
    """The time of PostgreSQL's clock, to compare with the times of rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        ((time,),) = cursor.fetchall()
    return cast(datetime, time)


def claim(row: Any, **values: Any) -> bool:
    """Claim a queued row and set `values`; False if another process has it, or it has ended."""
    queued = type(row)._default_manager.filter(pk=row.pk, status=QUEUED)
    claimed = queued.update(
        status=RUNNING, claim=uuid.uuid4(), started_at=Now(), heartbeat_at=Now(), **values
    )
    if claimed:
        row.refresh_from_db()
    return bool(claimed)


def claim_next[M: models.Model](
    rows: "models.QuerySet[M]", at_once: int, due: Q | None = None, **values: Any
) -> M | None:
    """Claim the first queued row that is `due`; None without one, or if `at_once` rows run.

    Locks all active rows, so that processes which claim at the same time agree on their number.
    """
    with transaction.atomic():
        active: list[Any] = list(rows.filter(status__in=[QUEUED, RUNNING]).select_for_update())
        running = sum(row.status == RUNNING for row in active)
        row = rows.filter(due or Q(), status=QUEUED).first()
        return row if row and running < at_once and claim(row, **values) else None


def rows_of_claim(row: Any) -> "models.QuerySet[Any]":
    """The row while this process holds its claim; empty once the row ended or was given up."""
    rows: models.QuerySet[Any] = type(row)._default_manager.filter(
        pk=row.pk, claim=row.claim, status=RUNNING
    )
    return rows


def beat(row: Any, **values: Any) -> bool:
    """Write a heartbeat, and `values` with it; False if this process lost the row."""
    return bool(rows_of_claim(row).update(heartbeat_at=Now(), **values))


def worked(row: Any) -> timedelta:
    """The time from the start of the row's last attempt until its last heartbeat."""
    return row.heartbeat_at - row.started_at if row.started_at and row.heartbeat_at else timedelta()


def release(row: Any, **values: Any) -> bool:
    """Queue the row for another attempt; False if this process lost it before."""
    return beat(row, status=QUEUED, **values)


@contextmanager
def lost[M: models.Model](model: type[M], seconds: float) -> Iterator[list[M]]:
    """Lock the running rows without a heartbeat for `seconds`, while the block gives them up.

    Skips rows that another process has locked: it is writing their end, or gives them up itself.
    """
    late = Now() - timedelta(seconds=seconds)
    silent = Q(heartbeat_at__lt=late) | Q(heartbeat_at=None, started_at__lt=late)
    rows = model._default_manager.filter(silent, status=RUNNING)
    with transaction.atomic():
        yield list(rows.select_for_update(skip_locked=True))


@contextmanager
def lock_next[M: models.Model](rows: "models.QuerySet[M]") -> Iterator[M | None]:
    """Lock the first of `rows` that no other process has locked; None without such a row."""
    with transaction.atomic():
        yield rows.select_for_update(skip_locked=True, of=("self",)).first()


class Heartbeat:
    """Call `beat` every second while the block runs, in a thread with its own connection.

    The block's own connection may be in a long statement, or in a transaction that would hide the
    heartbeat from others until it commits.
    """

    def __init__(self, beat: Callable[[], object]) -> None:
        self._beat = beat
        self._wake, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._wake.set()
        self._thread.join()

    def soon(self) -> None:
        """Beat within `PAUSE` instead of at the next second."""
        self._wake.set()

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                self._wake.wait(INTERVAL)
                self._wake.clear()
                self._try()
                self._ended.wait(PAUSE)
        finally:
            connection.close()

    def _try(self) -> None:
        try:
            self._beat()
        except Error as error:  # also InterfaceError, which is no DatabaseError
            # The block meets the same failure and decides what happens to the row.
            log.warning("no heartbeat: %s", error)
            connection.close()
