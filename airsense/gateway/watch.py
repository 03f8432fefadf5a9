"""What is published now: one thread of each process asks the readers' server all the time."""

import logging
import threading
import time
from datetime import datetime
from typing import NamedTuple, NoReturn

from django.db import Error, connections

from flights.models import PublishedTable

log = logging.getLogger(__name__)

WATCH = "watch"  # the reader's database alias with a connection of its own
EVERY = 0.25  # seconds
GOOD_FOR = 1.0  # seconds after it was asked for, then nothing may be answered by it


class Published(NamedTuple):
    version: str
    since: datetime  # a version that is published again counts as another
    # Connections lost before. A server that comes back may be another one, such as a replica that
    # lacks the last publishes, where the same number will be another version.
    lost: int


class Sight(NamedTuple):
    current: frozenset[Published]
    until: float  # of time.monotonic()


class Watch:
    def __init__(self) -> None:
        self.sight = Sight(frozenset(), 0.0)
        self.lost = 0
        threading.Thread(target=self._run, name=WATCH, daemon=True).start()

    def _run(self) -> NoReturn:
        while True:
            asked = time.monotonic()
            try:
                self.sight = Sight(self._published(), asked + GOOD_FOR)
            except Error as error:
                self._lose(error)
            time.sleep(EVERY)

    def _published(self) -> frozenset[Published]:
        tables = PublishedTable.objects.using(WATCH).order_by()
        rows = tables.values_list("current__table", "current__number", "since")
        return frozenset(Published(f"{t}/{number}", since, self.lost) for t, number, since in rows)

    def _lose(self, error: Error) -> None:
        connection = connections[WATCH]
        if connection.connection:
            self.lost += 1
            log.warning("what is published cannot be seen: %s", error)
        connection.close()
