"""Limit how many files a process sends at once, so that queries get threads and connections."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from flights import lending
from flights.errors import Unavailable

# A download occupies a thread and a connection until its client has read the file.
SENDING_AT_ONCE = 2  # files that one process sends at the same time
WAIT = 0.5  # seconds that a request waits for a slot; small files take less


# Written here because no dependency of AirSense has a first-in, first-out semaphore for threads.
# `threading.Semaphore` and `queue.Queue` let a thread that has just released a slot take it again
# before a waiting thread wakes up. Under load, some clients would never get a slot.
class Slots:
    """A semaphore that serves waiting threads in their order of arrival."""

    def __init__(self, size: int) -> None:
        self.free = size
        self.waiting: deque[threading.Event] = deque()
        self.lock = threading.Lock()

    def acquire(self, timeout: float) -> bool:
        """Take a slot; returns False if no slot becomes free within `timeout` seconds."""
        with self.lock:
            if self.free:
                self.free -= 1
                return True
            turn = threading.Event()
            self.waiting.append(turn)
        with lending.lent():
            passed_on = turn.wait(timeout)
        if passed_on:
            return True
        with self.lock:
            if turn.is_set():  # `release` passed the slot on after the timeout, before this lock
                return True
            self.waiting.remove(turn)
        return False

    def release(self) -> None:
        """Pass the slot to the thread that has waited longest; without one, mark it free."""
        with self.lock:
            if self.waiting:
                self.waiting.popleft().set()
            else:
                self.free += 1


_slots = Slots(SENDING_AT_ONCE)


@contextmanager
def slot() -> Iterator[None]:
    """Hold a slot while the block runs; Unavailable (503) if none is free after `WAIT` seconds."""
    if not _slots.acquire(WAIT):
        raise Unavailable(
            f"{SENDING_AT_ONCE} other files are being sent. Try again in a moment.", 5
        )
    try:
        yield
    finally:
        _slots.release()
