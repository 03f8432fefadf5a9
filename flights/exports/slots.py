"""Places of those who send files, so that threads are left for queries."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from flights.errors import Unavailable

# Each export keeps a connection and a thread while its client reads: queries must find others.
SENDING_AT_ONCE = 2
WAIT = 0.5  # seconds for a place; small files need theirs for less


class Places:
    """A semaphore whose waiters come in their order; of Python's own the last takes what is free.

    With that, a busy thread takes the place it just gave back, and who waits never has one.
    """

    def __init__(self, number: int) -> None:
        self.free = number
        self.waiting: deque[threading.Event] = deque()
        self.changing = threading.Lock()

    def take(self, patience: float) -> bool:
        """Whether there was a place within so many seconds."""
        with self.changing:
            if self.free:
                self.free -= 1
                return True
            turn = threading.Event()
            self.waiting.append(turn)
        if turn.wait(patience):
            return True
        with self.changing:
            if turn.is_set():  # given at the last moment
                return True
            self.waiting.remove(turn)
        return False

    def give_back(self) -> None:
        with self.changing:
            if self.waiting:
                self.waiting.popleft().set()
            else:
                self.free += 1


_places = Places(SENDING_AT_ONCE)


@contextmanager
def place() -> Iterator[None]:
    """One of the places of those who send files; Unavailable where all are taken."""
    if not _places.take(WAIT):
        raise Unavailable(f"{SENDING_AT_ONCE} exports are running. Try again in a moment.", 5)
    try:
        yield
    finally:
        _places.give_back()
