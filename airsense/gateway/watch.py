"""Poll PostgreSQL for the published versions, in one thread per process."""

import logging
import threading
import time
from datetime import datetime
from typing import NamedTuple, NoReturn

from django.db import Error, connections

from flights.models import PublishedTable

log = logging.getLogger(__name__)

WATCH = "watch"  # database alias: the reader role with short timeouts and a connection of its own
INTERVAL = 0.25  # seconds between two polls
VALID_FOR = 1.0  # seconds after the start of a poll for which its result may be used


class Published(NamedTuple):
    """A published version of a table."""

    version: str  # such as "delays_by_day/3"
    since: datetime  # differs if the same version is published again after a rollback
    # Number of connections lost so far. After a reconnection the server may be a replica that lacks
    # the last versions and will reuse their numbers, so earlier cache entries must not match.
    generation: int


class Snapshot(NamedTuple):
    """The published versions as of the last poll."""

    versions: frozenset[Published]
    valid_until: float  # of time.monotonic()


class Watch:
    """Keeps `snapshot` current. If PostgreSQL does not answer, it expires after VALID_FOR."""

    def __init__(self) -> None:
        self.snapshot = Snapshot(frozenset(), 0.0)
        self.generation = 0
        threading.Thread(target=self._run, name=WATCH, daemon=True).start()

    def _run(self) -> NoReturn:
        while True:
            started_at = time.monotonic()
            try:
                self.snapshot = Snapshot(self._published(), started_at + VALID_FOR)
            except Error as error:
                self._disconnect(error)
            time.sleep(INTERVAL)

    def _published(self) -> frozenset[Published]:
        tables = PublishedTable.objects.using(WATCH).order_by()
        rows = tables.values_list("current__table", "current__number", "since")
        return frozenset(
            Published(f"{table}/{number}", since, self.generation) for table, number, since in rows
        )

    def _disconnect(self, error: Error) -> None:
        connection = connections[WATCH]
        if connection.connection:
            self.generation += 1
            log.warning("cannot read the published versions: %s", error)
        connection.close()
