"""What the operating system refuses, such as a full disk: told in one line, not by a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from .exceptions import DiskError

ADVICE = "Make room, or give AirSense the right to read and write there, and try again."


@contextmanager
def reported(what: str) -> Iterator[None]:
    """DiskError where the block meets one; `what` says what was not possible."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        where = f" ({error.filename})" if error.filename else ""
        raise DiskError(f"{what}: {why}{where}.", advice=ADVICE) from error
