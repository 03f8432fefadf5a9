"""Attempts at something that fails: pauses that grow, and messages that do not repeat."""

import re
import time
from collections.abc import Callable
from contextlib import suppress

SAID_AGAIN = 600.0  # seconds after which the same trouble is reported once more
CALM = 60.0  # seconds without a failure, after which the same trouble counts as new


class Patience:
    """Says when the next attempt is due, and reports trouble when it is new and then rarely.

    The first attempt after a failure comes at once, the others after 1, 2, 4... seconds.
    """

    def __init__(self, say: Callable[[str], object], longest: float) -> None:
        self._say, self._longest = say, longest
        self.failures = 0
        self._due = self._last = 0.0
        self._said: dict[str, float] = {}  # when each kind of trouble was reported
        self._reported = False

    @property
    def due(self) -> bool:
        return time.monotonic() >= self._due

    def failed(self, trouble: str) -> None:
        self.failures += 1
        now = time.monotonic()
        pause = 0.0 if self.failures == 1 else 2.0 ** min(self.failures - 2, 20)
        self._due = now + min(pause, self._longest)
        if now - self._last > CALM:
            self._said.clear()
        self._last = now
        kind = re.sub(r"[\d,]+", "", trouble)  # process numbers and sizes are no news
        if now - self._said.get(kind, -SAID_AGAIN) >= SAID_AGAIN:
            self._said[kind], self._reported = now, True
            self.report(trouble)

    def succeeded(self, message: str = "") -> None:
        """Begin anew with short pauses; `message` is reported where trouble was."""
        if self._reported and message:
            self.report(message)
        self.failures, self._due, self._reported = 0, 0.0, False

    def report(self, message: str) -> None:
        with suppress(OSError):  # a terminal that is gone, or a file on a full disk
            self._say(message)
