"""Middleware that ends requests whose PostgreSQL server hangs, with status 503.

A stopped server (SIGSTOP, a frozen disk) keeps its connections open and enforces no timeout. So a
thread watches for requests that take long. If new connections to the server hang, too, the thread
closes the sockets of these requests. While the server responds, slow statements continue.
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

INTERVAL = 0.5  # seconds between two rounds of the thread
LONG = 2.0  # seconds after which the thread checks whether PostgreSQL responds
PROBES = 2  # checks that must hang in a row: a single one can be late on a busy machine
ALIASES = ("default", "reader")


@dataclass
class Waiting:
    """A running request, with its start (time.monotonic) and its thread's connections."""

    since: float
    connections: list[Any]

    def give_up(self) -> None:
        """Close the sockets; the request's thread gets an OperationalError."""
        self.since = time.monotonic()
        for wrapper in self.connections:
            # The connection was closed in between, or never opened.
            with suppress(AttributeError, OSError, psycopg.Error):
                duplicate = socket.socket(fileno=os.dup(wrapper.connection.pgconn.socket))
                with duplicate:
                    duplicate.shutdown(socket.SHUT_RDWR)


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
    """The running requests of this process, and the thread that watches them."""

    def __init__(self) -> None:
        self.requests: dict[int, Waiting] = {}
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch the current thread as a request while the block runs."""
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
    """Whether a server hangs on a new connection; refusing the connection is a response.

    There are two servers if public queries have their own (READER_URL).
    """
    names = [name for name in ("postgresql", "reader") if name in status.CHECKS]
    return any(map(_check_hangs, names))


def _check_hangs(name: str) -> bool:
    try:
        state = status.CHECKS[name].result()
    except TimeoutError:
        return True
    return not state.up and "timeout" in state.detail
