"""Fields that all log lines of a request or task share, such as its id and its table."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_fields: ContextVar[Mapping[str, object]] = ContextVar("log_fields", default=MappingProxyType({}))


def current() -> Mapping[str, object]:
    """The fields of the request or task that this thread runs."""
    return _fields.get()


def begin(**fields: object) -> None:
    """Start a new request in this thread: forget the fields of the one before."""
    _fields.set(fields)


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Add fields to the log lines of the block."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)
