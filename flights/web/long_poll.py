"""Answers that wait: `?wait=30` asks for one as soon as something has ended.

A request that waits holds a thread, which queries need. So few wait at once in a process, and the
others are answered at once, with the present state.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from django.conf import settings
from rest_framework.request import Request

from flights.query.params import whole_number

from .disconnect import GONE
from .params import once

MOST = 60.0  # seconds; what takes longer goes on, and the answer says so
EVERY = 0.05  # seconds

# What every answer to a request that may wait says.
HEADER = "X-AirSense-Wait-Limit"
LIMIT = f"{MOST:g} s, {settings.WAITING_AT_ONCE} at once"
_places = threading.BoundedSemaphore(settings.WAITING_AT_ONCE)


class Ending(Protocol):
    @property
    def active(self) -> bool: ...


def seconds(request: Request) -> float:
    """For how long it asks to wait; 0 where it does not."""
    return min(whole_number(once(request.query_params), "wait", 0), MOST)


def ended[T: Ending](request: Request, look: Callable[[], T], patience: float = MOST) -> T:
    """What `look` returns as soon as it has ended, or after so many seconds.

    At once where there is no place to wait, and where the client has left.
    """
    state = look()
    if not (patience and state.active and _places.acquire(blocking=False)):
        return state
    try:
        return _watched(look, time.monotonic() + patience, request.META.get(GONE))
    finally:
        _places.release()


def _watched[T: Ending](look: Callable[[], T], deadline: float, gone: threading.Event | None) -> T:
    """`gone` is set when the client leaves; other servers have no such event."""
    pause = gone or threading.Event()
    while (state := look()).active and time.monotonic() < deadline and not pause.wait(EVERY):
        pass
    return state
