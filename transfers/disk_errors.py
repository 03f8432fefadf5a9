"""Report errors of the file system, such as a full disk, in one line instead of a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from .exceptions import DiskError

ADVICE = "Free disk space, or let AirSense read and write there, and try again."


@contextmanager
def reported(problem: str) -> Iterator[None]:
    """Raise OSError of the block as DiskError; `problem` says what failed, without a full stop."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        where = f" ({error.filename})" if error.filename else ""
        raise DiskError(f"{problem}: {why}{where}.", advice=ADVICE) from error
