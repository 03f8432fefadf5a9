"""A check of something that may not answer: callers wait for it no longer than a deadline."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait

from django.conf import settings
from django.db import connections

SHARED_FOR = 1.0  # seconds for which a result is given to everybody
PATIENCE = 0.1  # seconds that a caller waits for a new result where there is one of a moment ago


class Check[T]:
    """Runs a function in a thread of its own, one run at a time, whoever asks and how many.

    Where the last result is recent, callers wait a moment for a new one, and then get the last.
    Otherwise they wait for the run until its deadline, and after the deadline not at all: `result`
    raises TimeoutError. While a run hangs no other begins, and its result counts when it comes.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self.function = function
        self.changing = threading.Lock()
        self.run: Future[T] | None = None
        self.began = 0.0
        self.last: Future[T] | None = None
        self.ended = 0.0

    def begin(self) -> None:
        """Start a run, unless one goes on or the last result is shared."""
        with self.changing:
            if self.run is None and not (self.last and _age(self.ended) < SHARED_FOR):
                self.run, self.began = Future(), time.monotonic()
                threading.Thread(target=self._run, args=[self.run], daemon=True).start()

    def result(self) -> T:
        """The result, or the exception, of a run that ended a moment ago."""
        self.begin()
        with self.changing:
            run, last = self.run, self.last
            left = max(0.0, self.began + deadline() - time.monotonic())
            recent = last if _age(self.ended) < SHARED_FOR + deadline() else None
        if run is None:
            assert last
            return last.result()
        wait([run], min(left, PATIENCE) if recent else left)
        return (recent if recent and not run.done() else run).result(0)

    def _run(self, run: Future[T]) -> None:
        try:
            run.set_result(self.function())
        except BaseException as error:  # noqa: BLE001  # callers raise it
            run.set_exception(error)
        finally:
            connections.close_all()  # no other request uses this thread's connections
            with self.changing:
                self.run, self.last, self.ended = None, run, time.monotonic()


def deadline() -> float:
    """Seconds for which callers wait."""
    return float(settings.STATUS_TIMEOUT_MS / 1_000)


def _age(moment: float) -> float:
    return time.monotonic() - moment
