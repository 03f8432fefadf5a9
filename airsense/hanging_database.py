"""Middleware that ends requests which wait for a PostgreSQL that hangs; they get 503.

A stopped server (SIGSTOP, a frozen disk) keeps its connections open, and no time limit of its own
counts. So a thread looks at the requests that take long: if new connections hang, too, it closes
the sockets for which those requests wait. A slow statement of a server that answers goes on.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError, connections
from django.http import HttpRequest, HttpResponse

from airsense import status
from flights.errors import pages

INTERVAL = 0.5  # seconds between two looks
LONG = 2.0  # seconds after which it matters whether PostgreSQL answers
PROBES = 2  # that must hang one after the other: one can be late on a busy machine
ALIASES = ("default", "reader")


@dataclass
class Waiting:
    """A request that runs, with the connections of its thread."""

    since: float
    connections: list[Any]

    def give_up(self) -> None:
        """Close the sockets; the request's thread gets an OperationalError."""
        self.since = time.monotonic()
        for wrapper in self.connections:
            # The connection was closed in between, or never opened.
            with suppress(AttributeError, OSError, psycopg.Error):
                file = socket.socket(fileno=os.dup(wrapper.connection.pgconn.socket))
                with file:
                    file.shutdown(socket.SHUT_RDWR)


class Middleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with watch.watched():
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Report 503 for views that do not do so themselves, such as those of the admin."""
        is_down = isinstance(error, OperationalError | InterfaceError)
        return pages.error_page(request, error) if is_down else None


class Watch:
    """The requests of this process, and the thread that looks at them."""

    def __init__(self) -> None:
        self.requests: dict[int, Waiting] = {}
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch the request that the block answers."""
        self._start()
        thread = threading.get_ident()
        own = [connections[alias] for alias in ALIASES]
        self.requests[thread] = Waiting(time.monotonic(), own)
        try:
            yield
        finally:
            del self.requests[thread]

    def _start(self) -> None:
        if self.thread:
            return
        with self.lock:
            if not self.thread:
                self.thread = threading.Thread(target=self._run, name="hanging", daemon=True)
                self.thread.start()

    def _run(self) -> None:
        hanging = 0
        while True:
            time.sleep(INTERVAL)
            late = self._late()
            hanging = hanging + 1 if late and _hangs() else 0
            if hanging >= PROBES:
                for request in self._late():
                    request.give_up()

    def _late(self) -> list[Waiting]:
        now = time.monotonic()
        return [request for request in list(self.requests.values()) if now - request.since > LONG]


watch = Watch()


def _hangs() -> bool:
    """Whether a PostgreSQL does not answer a new connection; one that refuses it does answer.

    Public queries may have a server of their own.
    """
    names = [name for name in ("postgresql", "reader") if name in status.CHECKS]
    return any(map(_check_hangs, names))


def _check_hangs(name: str) -> bool:
    try:
        state = status.CHECKS[name].result()
    except TimeoutError:
        return True
    return not state.up and "timeout" in state.detail
