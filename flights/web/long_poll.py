"""Long polling: `?wait=30` delays the response until a transfer or an export has ended.

A waiting request occupies a thread that queries need. So only `WAITING_AT_ONCE` requests wait in
one process; the others get the present state at once.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from django.conf import settings
from rest_framework.request import Request

from flights.query.query import once, whole_number

from .disconnect import GONE

MAX_SECONDS = 60.0
INTERVAL = 0.05  # seconds between two reads of the state

# A header of every response that can wait, and its value.
HEADER = "X-AirSense-Wait-Limit"
LIMIT = f"{MAX_SECONDS:g} s, {settings.WAITING_AT_ONCE} at once"
_slots = threading.BoundedSemaphore(settings.WAITING_AT_ONCE)


class Ending(Protocol):
    @property
    def active(self) -> bool: ...


def seconds(request: Request) -> float:
    """How long the client wants to wait; 0 without `wait=`. BadQuery if it is no whole number."""
    return min(whole_number(once(request.query_params), "wait", 0), MAX_SECONDS)


def ended[T: Ending](request: Request, look: Callable[[], T], wait: float = MAX_SECONDS) -> T:
    """Call `look` until what it returns has ended, for at most `wait` seconds.

    Returns the present state at once if too many requests wait, or if the client disconnects.
    """
    state = look()
    if not (wait and state.active and _slots.acquire(blocking=False)):
        return state
    try:
        return _poll(look, time.monotonic() + wait, request.META.get(GONE))
    finally:
        _slots.release()


def _poll[T: Ending](look: Callable[[], T], deadline: float, gone: threading.Event | None) -> T:
    """`gone` is set when the client disconnects; None with a server that does not tell."""
    pause = gone or threading.Event()
    while (state := look()).active and time.monotonic() < deadline and not pause.wait(INTERVAL):
        pass
    return state
