"""Answers that wait: `?wait=30` asks for one as soon as something has ended."""

import time
from collections.abc import Callable
from typing import Protocol

from rest_framework.request import Request

from .query import once, whole_number

MOST = 60.0  # seconds; what takes longer goes on, and the answer says so
EVERY = 0.05  # seconds


class Ending(Protocol):
    @property
    def active(self) -> bool: ...


def seconds(request: Request) -> float:
    """For how long it asks to wait; 0 where it does not."""
    return min(whole_number(once(request.query_params), "wait", 0), MOST)


def ended[T: Ending](look: Callable[[], T], patience: float = MOST) -> T:
    """What is looked at as soon as it has ended, or as it is when patience (seconds) ends."""
    deadline = time.monotonic() + patience
    while (seen := look()).active and time.monotonic() < deadline:
        time.sleep(EVERY)
    return seen
