"""Spans of a trace, if tracing is on. It is off unless `airsense.tracing` installs a tracer."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

type Attributes = dict[str, Any]


class Tracer(Protocol):
    """Creates spans. `attributes` are texts, numbers and booleans."""

    def span(
        self, name: str, kind: str, parent: str, attributes: Attributes
    ) -> AbstractContextManager[Any]: ...

    def leaf(self, name: str, attributes: Attributes) -> AbstractContextManager[Any]: ...

    def ended(self, name: str, seconds: float, attributes: Attributes) -> None: ...

    def traceparent(self) -> str: ...

    def trace_id(self) -> str: ...


_tracer: Tracer | None = None
_NOTHING = nullcontext()


def install(tracer: Tracer) -> None:
    """Turn tracing on in this process."""
    global _tracer
    _tracer = tracer


def span(
    name: str, kind: str = "internal", parent: str = "", **attributes: Any
) -> AbstractContextManager[Any]:
    """A span around a block; spans that begin in the block are its children. Yields it, or None.

    `parent` is the W3C traceparent of the caller in another process, if there is one.
    """
    return _tracer.span(name, kind, parent, attributes) if _tracer else _NOTHING


def leaf(name: str, **attributes: Any) -> AbstractContextManager[Any]:
    """A span without children. Its block may be in a generator, which runs in several contexts."""
    return _tracer.leaf(name, attributes) if _tracer else _NOTHING


def ended(name: str, seconds: float, **attributes: Any) -> None:
    """Record a span that ends now and took `seconds`."""
    if _tracer:
        _tracer.ended(name, seconds, attributes)


def traceparent() -> str:
    """The current span as W3C traceparent, to send to another process; "" without one."""
    return _tracer.traceparent() if _tracer else ""


def trace_id() -> str:
    """The id of the current trace, 32 hexadecimal digits; "" without one."""
    return _tracer.trace_id() if _tracer else ""


def query[T](system: str, sql: str, run: Callable[[], T]) -> T:
    """Run a query of a database and return its result, within a span of its own."""
    with leaf(f"{system} query", **sent(system, sql)):
        return run()


def sent(system: str, sql: str) -> Attributes:
    """The attributes of a query by OpenTelemetry's conventions; long SQL is cut."""
    return {"db.system.name": system, "db.query.text": sql[:500]} if _tracer else {}
