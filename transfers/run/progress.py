"""Write the progress of this process's transfers to the database once a second."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

from flights import claims, tracing
from transfers.exceptions import ClaimLost, TransferError
from transfers.load.writer import Copied
from transfers.models import Transfer
from transfers.run_log import Recorder


class Progress:
    """Sends heartbeats and progress of claimed transfers while the block runs.

    Another thread writes them on its own connection, so that others see them before the loading
    transaction commits.
    """

    def __init__(self, claimed: list[Transfer]) -> None:
        self.claimed = claimed
        self._loading = connections[DEFAULT_DB_ALIAS]  # the loading thread's connection
        self.current: Transfer | None = None
        self.lost: Transfer | None = None
        self.refused: TransferError | None = None  # why the loading thread has to stop
        # Called with each heartbeat, also during a long statement. Raises TransferError to stop.
        self.condition: Callable[[], object] = lambda: None
        self._interruptible, self._cancelling = False, threading.Lock()
        self._since = time.monotonic()
        self._written = dict[int, float]()  # time of each transfer's last write, by primary key
        self.log = Recorder(claimed, lambda: self.current)
        self._heartbeat = claims.Heartbeat(self._beat)

    def __enter__(self) -> Self:
        self.log.__enter__()
        self._heartbeat.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._heartbeat.__exit__()
        self.log.__exit__()

    def begin(self, transfer: Transfer) -> None:
        """Make a transfer the current one, in its first phase."""
        transfer.seconds = {}  # not those of an earlier attempt
        self.current, self._since = transfer, time.monotonic()
        self.phase("reading")

    def phase(self, name: str) -> None:
        """Begin a phase of the current transfer, and add to the seconds of the phase before.

        A phase comes twice if a faster mode failed and all rows are read.
        """
        assert self.current
        now = time.monotonic()
        if self.current.phase:
            took, before = now - self._since, self.current.seconds.get(self.current.phase, 0.0)
            self.current.seconds[self.current.phase] = round(before + took, 3)
            tracing.ended(self.current.phase, took, table=self.current.table)
        if self.current.phase == "copying":
            self.log.add(f"copied {self.current.rows_done:,} rows")
        self.log.add(name)
        self.current.phase, self._since = name, now
        self._heartbeat.soon()

    def copied(self, so_far: Copied) -> None:
        """Record the rows and bytes copied so far; raises what `check` raises."""
        assert self.current
        self.current.rows_done, self.current.bytes_done = so_far
        self.check()

    def check(self) -> None:
        """Raise ClaimLost if this process lost a transfer, or the condition's TransferError."""
        if self.lost:
            raise ClaimLost(
                f"Another process ended {self.lost} while it ran.",
                advice="It was cancelled, or its heartbeats stopped. Start it again.",
            )
        if self.refused:
            raise self.refused

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let heartbeats cancel this thread's statements during the block if it has to stop."""
        self._interruptible = True
        try:
            yield
        finally:
            with self._cancelling:  # the statements that follow record the end
                self._interruptible = False

    def _beat(self) -> None:
        self._write()
        self._check_condition()
        if self.lost or self.refused:
            self._interrupt()
        self.log.save()

    def _write(self) -> None:
        for transfer in filter(self._is_due, self.claimed):
            began = time.monotonic()
            if not _beat(transfer) and _runs(transfer) and not self.lost:
                self.lost = transfer
            self._written[transfer.pk] = began

    def _is_due(self, transfer: Transfer) -> bool:
        """Whether to write a running transfer: the current one each time, others once a second.

        A run of all tables begins a hundred phases, most of them within a moment.
        """
        last = self._written.get(transfer.pk, 0.0)
        is_current = transfer is self.current
        return _runs(transfer) and (is_current or time.monotonic() - last >= claims.INTERVAL)

    def _check_condition(self) -> None:
        try:
            self.condition()
        except TransferError as error:
            self.refused = self.refused or error

    def _interrupt(self) -> None:
        """Cancel the loading thread's statement, if any; otherwise its next `check` raises.

        Each heartbeat does this, because the last one may have come between two statements.
        """
        with self._cancelling, suppress(psycopg.Error):  # the connection may be lost
            if self._interruptible and self._loading.connection:
                self._loading.connection.cancel_safe()


def _runs(transfer: Transfer) -> bool:
    """Whether the transfer still runs: this process may have ended it during the heartbeat."""
    return transfer.status == Transfer.Status.RUNNING


def _beat(transfer: Transfer) -> bool:
    return claims.beat(
        transfer,
        phase=transfer.phase,
        rows_done=transfer.rows_done,
        rows_total=transfer.rows_total,
        bytes_done=transfer.bytes_done,
        seconds=transfer.seconds,
    )
