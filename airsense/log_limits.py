"""Limit the length and the rate of log messages, so that clients cannot fill the disk."""

import copy
import logging
import os
import threading
from logging import LogRecord

LONGEST = 500  # characters of a message; a request's path can have 8,000
MINUTE = 60.0  # seconds
ALLOWED = "is_allowed"  # attribute of a record
# Loggers that report malicious requests. A traceback would only show Django's own code.
CLIENT_LOGGERS = "django.security."

type Kind = tuple[object, ...]


class Limits(logging.Filter):
    """Pass `most` warnings and errors of a kind per minute; then log how many were left out.

    A kind is a line of code, a level and an exception class. The number of kinds is bounded; the
    number of different messages is not.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self._reset()
        os.register_at_fork(after_in_child=self._reset)  # timers do not survive a fork

    def _reset(self) -> None:
        self.counts: dict[Kind, int] = {}
        self.lock = threading.Lock()

    def filter(self, record: LogRecord) -> bool | LogRecord:
        if record.levelno >= logging.WARNING:
            if not hasattr(record, ALLOWED):  # count it once, for all handlers
                setattr(record, ALLOWED, self._allows(record))
            if not getattr(record, ALLOWED):
                return False
        return _shortened(record)

    def _allows(self, record: LogRecord) -> bool:
        kind = _kind(record)
        with self.lock:
            count = self.counts[kind] = self.counts.get(kind, 0) + 1
        if count == 1:
            minute = threading.Timer(MINUTE, self._end, [kind, record.name, record.levelno])
            minute.daemon = True
            minute.start()
        return count <= self.most

    def _end(self, kind: Kind, name: str, level: int) -> None:
        with self.lock:
            left_out = self.counts.pop(kind) - self.most
        if left_out > 0:
            logging.getLogger(name).log(
                level, "Left out %d more messages of this kind within a minute.", left_out
            )


def _kind(record: LogRecord) -> Kind:
    error = record.exc_info[0] if record.exc_info else None
    return (record.name, record.levelno, record.pathname, record.lineno, error)


def _shortened(record: LogRecord) -> LogRecord:
    """Return a copy with a short, printable message; other handlers get the original record."""
    short = copy.copy(record)
    text = record.getMessage()
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text):,} characters)"
    short.msg, short.args = "".join(c if c.isprintable() else _escaped(c) for c in cut), None
    if record.name.startswith(CLIENT_LOGGERS):
        short.exc_info = short.exc_text = short.stack_info = None
    return short


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
