"""How far the transfers of this process are, told to their rows once a second."""

import time
from collections.abc import Callable
from typing import Self

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

from flights import claims
from transfers.exceptions import ClaimLost, TransferError
from transfers.load.writer import Copied
from transfers.models import Transfer


class Progress:
    """Keeps claimed transfers alive while the block runs.

    The rows are written by a thread with a connection of its own: the loading transaction must
    not hold what others want to see.
    """

    def __init__(self, claimed: list[Transfer]) -> None:
        self.claimed = claimed
        self._loading = connections[DEFAULT_DB_ALIAS]  # of the thread that loads
        self.current: Transfer | None = None
        self.lost: Transfer | None = None
        self.refused: TransferError | None = None  # why the loading thread has to stop
        # Asked with each heartbeat, also in the middle of a long statement.
        self.condition: Callable[[], object] = lambda: None
        self._since = time.monotonic()
        self._heartbeat = claims.Heartbeat(self._beat)

    def __enter__(self) -> Self:
        self._heartbeat.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._heartbeat.__exit__()

    def begin(self, transfer: Transfer) -> None:
        self.current, self._since = transfer, time.monotonic()
        self.phase("reading")

    def phase(self, name: str) -> None:
        """Say what the current transfer does from now on; keeps the seconds of what it did."""
        assert self.current
        now = time.monotonic()
        if self.current.phase:
            self.current.seconds[self.current.phase] = round(now - self._since, 3)
        self.current.phase, self._since = name, now
        self._heartbeat.soon()

    def copied(self, so_far: Copied) -> None:
        assert self.current
        self.current.rows_done, self.current.bytes_done = so_far
        self.check()

    def check(self) -> None:
        """ClaimLost once somebody else ended a transfer of this process; what was refused, too."""
        if self.lost:
            raise ClaimLost(
                f"{self.lost} was ended by others while it ran.",
                advice="It was cancelled, or not heard of for too long. Start it again.",
            )
        if self.refused:
            raise self.refused

    def _beat(self) -> None:
        self._tell()
        self._look()

    def _tell(self) -> None:
        running = [t for t in self.claimed if _runs(t)]
        lost = next((t for t in running if not _update(t) and _runs(t)), None)
        if lost and not self.lost:
            self._stop(lost)

    def _look(self) -> None:
        try:
            self.condition()
        except TransferError as error:
            if not self.refused:
                self.refused = error
                self._interrupt()

    def _stop(self, lost: Transfer) -> None:
        self.lost = lost
        self._interrupt()

    def _interrupt(self) -> None:
        """Make the loading thread see it: between two batches, or out of a long statement."""
        if self._loading.connection:
            self._loading.connection.cancel_safe()


def _runs(transfer: Transfer) -> bool:
    """Whether this process has not ended it meanwhile; the update may have waited for just that."""
    return transfer.status == Transfer.Status.RUNNING


def _update(transfer: Transfer) -> int:
    return claims.held(transfer).update(
        heartbeat_at=timezone.now(),
        phase=transfer.phase,
        rows_done=transfer.rows_done,
        rows_total=transfer.rows_total,
        bytes_done=transfer.bytes_done,
        seconds=transfer.seconds,
    )
