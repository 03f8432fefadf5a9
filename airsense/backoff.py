"""Retry with growing pauses, without repeating the same error message."""

import re
import time
from collections.abc import Callable
from contextlib import suppress

REPEAT_AFTER = 600.0  # seconds until an error that still occurs is reported again
CALM = 60.0  # seconds without a failure after which the same error counts as new


class Backoff:
    """Decides when to retry, and reports each kind of error at most every 10 minutes.

    The first retry comes at once, the next after 1, 2, 4... seconds, up to `longest` seconds.
    `write` prints a line.
    """

    def __init__(self, write: Callable[[str], object], longest: float) -> None:
        self._write, self._longest = write, longest
        self.failures = 0
        self._due = self._last_failure = 0.0
        self._reports: dict[str, float] = {}  # kind of error: time of its last report
        self._reported = False

    @property
    def due(self) -> bool:
        """Whether to try now."""
        return time.monotonic() >= self._due

    def failed(self, message: str) -> None:
        """Schedule the next attempt, and report the error if it is new."""
        self.failures += 1
        now = time.monotonic()
        pause = 0.0 if self.failures == 1 else 2.0 ** min(self.failures - 2, 20)
        self._due = now + min(pause, self._longest)
        if now - self._last_failure > CALM:
            self._reports.clear()
        self._last_failure = now
        kind = re.sub(r"[\d,]+", "", message)  # ignore process ids and sizes
        if now - self._reports.get(kind, -REPEAT_AFTER) >= REPEAT_AFTER:
            self._reports[kind], self._reported = now, True
            self.report(message)

    def succeeded(self, message: str = "") -> None:
        """Reset the pauses. If an error has been reported, report `message`."""
        if self._reported and message:
            self.report(message)
        self.failures, self._due, self._reported = 0, 0.0, False

    def report(self, message: str) -> None:
        """Write a line, unless the terminal is closed or the disk is full."""
        with suppress(OSError):
            self._write(message)
