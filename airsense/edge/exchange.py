"""A request and its response, until the response is sent or the client disconnects."""

import asyncio
import itertools
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, nullcontext
from typing import Any

from django.conf import settings

from airsense.gateway import ClientReply, entry
from flights import lending
from flights.web.disconnect import GONE

from . import connection
from .environ import Environ, Scope

log = logging.getLogger(__name__)

CHUNK = 1 << 16  # smallest number of bytes that a streaming response sends at once
SLOW_AFTER = 0.1  # seconds that a thread waits for a client before another thread replaces it
RESET_TIMEOUT = 1.0  # seconds to wait for Granian to notice a reset; usually it does at once
START, BODY = {"type": "http.response.start"}, {"type": "http.response.body"}


class Disconnected(Exception):
    """The client closed the connection, or does not read the response."""


class Exchange:
    """Sends responses from a thread through the loop of Granian's `protocol`."""

    def __init__(
        self, scope: Scope, environ: Environ, protocol: Any, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.scope, self.environ, self.protocol, self.loop = scope, environ, protocol, loop
        self.disconnected = environ[GONE] = threading.Event()
        self.task: asyncio.Task[None] | None = None  # reads the body or watches for a disconnect

    def stream(self, response: ClientReply) -> None:
        """Send a response in chunks as Django makes them.

        If Django fails in the middle, the connection is reset, so that the client notices the
        truncation.
        """
        started = False
        body = response.reply.body
        with closing(body) if hasattr(body, "close") else nullcontext():
            try:
                chunks = _joined(body)
                first, second = next(chunks, b""), next(chunks, None)
                send_start(self.protocol, response)
                started = True
                if second is None:
                    return send_end(self.protocol, first)
                self._send(itertools.chain((first, second), chunks))
            except Disconnected:
                self.reset()
            except Exception:
                if not self.disconnected.is_set():
                    log.exception("cannot send a response to its end")
                self.reset() if started else self.fail()

    def fail(self) -> None:
        """Answer 500."""
        self.protocol.send({**START, "status": 500, "headers": []})
        send_end(self.protocol, b"Internal server error. It has been logged.")

    def watch(self) -> None:
        """Watch for a disconnect. Call this in the loop, after the body has been read."""
        if not self.disconnected.is_set() and (self.task is None or self.task.done()):
            self.task = self.loop.create_task(self._watch())

    def reset(self) -> None:
        """Reset the connection, so that the client does not take a part for the whole response."""
        if not self.disconnected.is_set():
            connection.reset(self.scope["client"], self.scope["server"])
            # Until Granian notices, returning would make it end the response in the normal way.
            self.disconnected.wait(RESET_TIMEOUT)

    def _send(self, chunks: Iterator[bytes]) -> None:
        if self.environ["REQUEST_METHOD"] == "HEAD":
            chunks = iter([b""])
        self.loop.call_soon_threadsafe(self.watch)
        for future in self._send_all(chunks):
            try:
                lending.result(future, SLOW_AFTER, settings.ANSWER_TIMEOUT)
            except TimeoutError:
                raise Disconnected from None
            if self.disconnected.is_set():
                raise Disconnected
        send_end(self.protocol, b"")

    def _send_all(self, chunks: Iterator[bytes]) -> Iterator[Future[None]]:
        """Send each chunk while Django computes the next one; yield the future of each."""
        previous = None
        for chunk in chunks:
            if previous:
                yield previous
            previous = asyncio.run_coroutine_threadsafe(self._send_chunk(chunk), self.loop)
        if previous:
            yield previous

    async def _send_chunk(self, chunk: bytes) -> None:
        """Return when the client has read most of the earlier chunks."""
        await self.protocol.send({**BODY, "body": chunk, "more_body": True})

    async def _watch(self) -> None:
        while (await self.protocol.receive())["type"] != "http.disconnect":
            pass
        self.disconnected.set()


def send_cached(protocol: Any, response: ClientReply) -> None:
    """Send a response whose body is already in memory."""
    send_start(protocol, response)
    send_end(protocol, b"".join(response.reply.body))


def send_start(protocol: Any, response: ClientReply) -> None:
    """Send the status and the headers."""
    reply, own_headers = response
    headers = [*(reply.raw_headers or entry.encode(reply.headers)), *entry.encode(own_headers)]
    protocol.send({**START, "status": int(reply.status[:3]), "headers": headers})


def send_end(protocol: Any, body: bytes) -> None:
    """Send the last part of the body."""
    protocol.send({**BODY, "body": body, "more_body": False})


def _joined(chunks: Any) -> Iterator[bytes]:
    """Join small chunks into chunks of at least CHUNK bytes: each is a round trip to the loop."""
    parts: list[bytes] = []
    size = 0
    for part in chunks:
        parts.append(part)
        size += len(part)
        if size >= CHUNK:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)
