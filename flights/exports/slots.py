"""Slots for sending files: few at once, so that threads and connections are left for queries."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from flights.errors import Unavailable

# A download keeps a connection and a thread while its client reads.
SENDING_AT_ONCE = 2
WAIT = 0.5  # seconds to wait for a slot; small files take less


# Neither Python nor a package that we use has a first-in, first-out semaphore for threads.
# `threading.Semaphore` and `queue.Queue` let a thread that has just released a slot take it again
# before a waiting thread wakes up, so under load some clients never get one.
class Slots:
    """A semaphore that serves waiting threads in their order of arrival."""

    def __init__(self, number: int) -> None:
        self.free = number
        self.waiting: deque[threading.Event] = deque()
        self.lock = threading.Lock()

    def acquire(self, timeout: float) -> bool:
        """Take a slot within `timeout` seconds; returns whether that succeeded."""
        with self.lock:
            if self.free:
                self.free -= 1
                return True
            turn = threading.Event()
            self.waiting.append(turn)
        if turn.wait(timeout):
            return True
        with self.lock:
            if turn.is_set():  # between the timeout and the lock
                return True
            self.waiting.remove(turn)
        return False

    def release(self) -> None:
        """Hand the slot to the thread that waits longest, if any."""
        with self.lock:
            if self.waiting:
                self.waiting.popleft().set()
            else:
                self.free += 1


_slots = Slots(SENDING_AT_ONCE)


@contextmanager
def slot() -> Iterator[None]:
    """Hold a slot while a file is sent; Unavailable if all are taken."""
    if not _slots.acquire(WAIT):
        raise Unavailable(f"{SENDING_AT_ONCE} exports are running. Try again in a moment.", 5)
    try:
        yield
    finally:
        _slots.release()
