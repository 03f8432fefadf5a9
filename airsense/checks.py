"""Run a check of a dependency that may hang, without making callers wait past a deadline."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait

from django.conf import settings
from django.db import connections

FRESH_FOR = 1.0  # seconds for which all callers share a result
GRACE = 0.1  # seconds to wait for a new result when a recent one can be returned instead


class Check[T]:
    """A function that runs in its own thread, at most once at a time for all callers.

    If the last result is recent, callers wait GRACE seconds for a new one and then get the last.
    Otherwise they wait for the current run until `deadline()` seconds after its start; then
    `result` raises TimeoutError. While a run hangs, no other starts; its result is used when it
    ends.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self.function = function
        self.lock = threading.Lock()
        self.run: Future[T] | None = None
        self.started_at = 0.0
        self.last: Future[T] | None = None
        self.ended_at = 0.0

    def begin(self, fresh_for: float = FRESH_FOR) -> None:
        """Start a run, unless one is running or the last result is younger than `fresh_for` s."""
        with self.lock:
            if self.run is None and not (self.last and _age(self.ended_at) < fresh_for):
                self.run, self.started_at = Future(), time.monotonic()
                threading.Thread(target=self._run, args=[self.run], daemon=True).start()

    def result(self, fresh_for: float = FRESH_FOR) -> T:
        """Return the function's result, or raise its exception. Raises TimeoutError if it hangs."""
        self.begin(fresh_for)
        with self.lock:
            run, last = self.run, self.last
            remaining = max(0.0, self.started_at + deadline() - time.monotonic())
            recent = last if _age(self.ended_at) < FRESH_FOR + deadline() else None
        if run is None:
            assert last
            return last.result()
        wait([run], min(remaining, GRACE) if recent else remaining)
        return (recent if recent and not run.done() else run).result(0)

    def _run(self, run: Future[T]) -> None:
        try:
            run.set_result(self.function())
        except BaseException as error:  # noqa: BLE001  # callers raise it
            run.set_exception(error)
        finally:
            connections.close_all()  # this thread ends, so Django would leave them open
            with self.lock:
                self.run, self.last, self.ended_at = None, run, time.monotonic()


def deadline() -> float:
    """Seconds that callers wait for a check (STATUS_TIMEOUT_MS)."""
    return float(settings.STATUS_TIMEOUT_MS / 1_000)


def _age(moment: float) -> float:
    return time.monotonic() - moment
