"""One request and its answer, from when it came until it was answered or its client left."""

import asyncio
import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any

from django.conf import settings

from airsense.gateway import Sent, entry
from flights.web.disconnect import GONE

from . import connection
from .environ import Environ, Scope

log = logging.getLogger(__name__)

CHUNK = 1 << 16  # bytes that are sent at once, at least, of an answer that comes in pieces
PATIENCE = 0.1  # seconds that a thread waits for a client as if for nobody else
BROKEN_WITHIN = 1.0  # seconds; Granian sees a reset at once
START, BODY = {"type": "http.response.start"}, {"type": "http.response.body"}

type Away = Callable[[], AbstractContextManager[None]]


class Left(Exception):
    """The client is gone, or takes nothing more."""


class Exchange:
    def __init__(
        self, scope: Scope, environ: Environ, protocol: Any, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.scope, self.environ, self.protocol, self.loop = scope, environ, protocol, loop
        self.gone = environ[GONE] = threading.Event()
        self.task: asyncio.Task[None] | None = None  # what the loop does with it, if anything

    def stream(self, sent: Sent, away: Away) -> None:
        """Answer by chunks as Django makes them; `away` is held while the client lets us wait.

        A client who got a part of what then fails must not take it for the whole.
        """
        started = False
        body = sent.reply.body
        with closing(body) if hasattr(body, "close") else nullcontext():
            try:
                chunks = _joined(body)
                first, second = next(chunks, b""), next(chunks, None)
                start(self.protocol, sent)
                started = True
                if second is None:
                    return end(self.protocol, first)
                self._pass_on(itertools.chain((first, second), chunks), away)
            except Left:
                self.break_off()
            except Exception:
                if not self.gone.is_set():
                    log.exception("an answer could not be sent to its end")
                self.break_off() if started else self.fail()

    def fail(self) -> None:
        """Say that nothing can be said."""
        self.protocol.send({**START, "status": 500, "headers": []})
        end(self.protocol, b"Something went wrong here; it has been logged.")

    def watch(self) -> None:
        """Note when the client leaves. The loop calls this; a body must have been read."""
        if not self.gone.is_set() and (self.task is None or self.task.done()):
            self.task = self.loop.create_task(self._watch())

    def break_off(self) -> None:
        """End the connection so that no client takes what came for a whole answer."""
        if not self.gone.is_set():
            connection.break_off(self.scope["client"], self.scope["server"])
            self.gone.wait(BROKEN_WITHIN)  # until then Granian would end the answer in good order

    def _pass_on(self, chunks: Iterator[bytes], away: Away) -> None:
        if self.environ["REQUEST_METHOD"] == "HEAD":
            chunks = iter([b""])
        self.loop.call_soon_threadsafe(self.watch)
        for chunk in chunks:
            sent = asyncio.run_coroutine_threadsafe(self._more(chunk), self.loop)
            try:
                sent.result(PATIENCE)
            except TimeoutError:
                self._wait(sent, away)
            if self.gone.is_set():
                raise Left
        end(self.protocol, b"")

    def _wait(self, sent: Any, away: Away) -> None:
        with away():
            try:
                sent.result(settings.ANSWER_TIMEOUT)
            except TimeoutError:
                raise Left from None

    async def _more(self, chunk: bytes) -> None:
        """Returns when the client has taken most of what was sent before."""
        await self.protocol.send({**BODY, "body": chunk, "more_body": True})

    async def _watch(self) -> None:
        while (await self.protocol.receive())["type"] != "http.disconnect":
            pass
        self.gone.set()


def whole(protocol: Any, sent: Sent) -> None:
    """Answer at once, by bytes that are there."""
    start(protocol, sent)
    end(protocol, b"".join(sent.reply.body))


def start(protocol: Any, sent: Sent) -> None:
    reply, own = sent
    headers = [*(reply.wire or entry.wire(reply.headers)), *entry.wire(own)]
    protocol.send({**START, "status": int(reply.status[:3]), "headers": headers})


def end(protocol: Any, body: bytes) -> None:
    protocol.send({**BODY, "body": body, "more_body": False})


def _joined(chunks: Any) -> Iterator[bytes]:
    """The same bytes in fewer pieces: each costs a way through the loop."""
    pieces: list[bytes] = []
    size = 0
    for piece in chunks:
        pieces.append(piece)
        size += len(piece)
        if size >= CHUNK:
            yield b"".join(pieces)
            pieces, size = [], 0
    if pieces:
        yield b"".join(pieces)
