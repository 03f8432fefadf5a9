"""Long polling: with `?wait=30` a response waits until a job has ended, at most 30 seconds.

A waiting request occupies a thread that queries need. So only a few requests may wait in a process
at the same time; the others get the present state at once.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from django.conf import settings
from rest_framework.request import Request

from flights import lending
from flights.query.params import whole_number

from .disconnect import GONE
from .params import single_values

MOST = 60.0  # seconds; then the response says that the job is still active
INTERVAL = 0.05  # seconds between two looks at the job

# Header of every response of a request that may wait.
HEADER = "X-AirSense-Wait-Limit"
LIMIT = f"{MOST:g} s, {settings.WAITING_AT_ONCE} at once"
_slots = threading.BoundedSemaphore(settings.WAITING_AT_ONCE)


class Job(Protocol):
    @property
    def active(self) -> bool:
        """Whether the job is queued or running."""


def seconds(request: Request) -> float:
    """Return the seconds of the parameter `wait`, at most `MOST`; 0 without the parameter."""
    return min(whole_number(single_values(request.query_params), "wait", 0), MOST)


def wait[T: Job](request: Request, load: Callable[[], T], timeout: float = MOST) -> T:
    """Call `load` until its job has ended; returns the last job loaded.

    Returns early after `timeout` seconds, when the client disconnects, and when too many other
    requests are waiting.
    """
    job = load()
    if not (timeout and job.active and _slots.acquire(blocking=False)):
        return job
    try:
        with lending.lent():
            return _poll(load, time.monotonic() + timeout, request.META.get(GONE))
    finally:
        _slots.release()


def _poll[T: Job](load: Callable[[], T], deadline: float, gone: threading.Event | None) -> T:
    """Poll until the deadline, or until `gone` is set; only our own server sets that event."""
    pause = gone or threading.Event()
    while (job := load()).active and time.monotonic() < deadline and not pause.wait(INTERVAL):
        pass
    return job
