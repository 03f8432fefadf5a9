"""What anybody can cause to be logged is short, and at a bounded rate: nobody fills a disk so."""

import copy
import logging
import os
import threading
from logging import LogRecord

LONGEST = 500  # characters of a message; a client's address can have 8,000
MINUTE = 60.0  # seconds
# These tell of clients who do harm, and where in Django that is noticed is no news.
OF_CLIENTS = "django.security."

type Kind = tuple[object, ...]


class Limits(logging.Filter):
    """Lets `most` warnings and errors of a kind through in a minute, then says how many more came.

    A kind is a place in the code, a level and the class of an exception. Their number is bounded,
    whatever clients send, which that of messages is not.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self._begin()
        os.register_at_fork(after_in_child=self._begin)  # a child has none of the timers

    def _begin(self) -> None:
        self.counts: dict[Kind, int] = {}
        self.changing = threading.Lock()

    def filter(self, record: LogRecord) -> bool | LogRecord:
        if record.levelno >= logging.WARNING and not self._allows(record):
            return False
        return _short(record)

    def _allows(self, record: LogRecord) -> bool:
        kind = _kind(record)
        with self.changing:
            count = self.counts[kind] = self.counts.get(kind, 0) + 1
        if count == 1:
            minute = threading.Timer(MINUTE, self._end, [kind, record.name, record.levelno])
            minute.daemon = True
            minute.start()
        return count <= self.most

    def _end(self, kind: Kind, name: str, level: int) -> None:
        with self.changing:
            left_out = self.counts.pop(kind) - self.most
        if left_out > 0:
            logging.getLogger(name).log(
                level, "%d more of these came within a minute and are left out.", left_out
            )


def _kind(record: LogRecord) -> Kind:
    error = record.exc_info[0] if record.exc_info else None
    return (record.name, record.levelno, record.pathname, record.lineno, error)


def _short(record: LogRecord) -> LogRecord:
    """A copy: other handlers get the record as it is."""
    short = copy.copy(record)
    text = record.getMessage()
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text):,} characters)"
    short.msg, short.args = "".join(c if c.isprintable() else _escaped(c) for c in cut), None
    if record.name.startswith(OF_CLIENTS):
        short.exc_info = short.exc_text = short.stack_info = None
    return short


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
