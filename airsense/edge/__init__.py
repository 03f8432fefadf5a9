"""What stands between clients and the gateway: no client, however slow, holds a thread for long.

Granian tells of each request in a thread of its own few. What the response cache has is answered
there. A body is read by the loop, where those that wait cost nobody anything. Only whole requests
come to a thread that runs Django. docs/gateway.md says what that promises.
"""

import asyncio
import logging
from typing import IO, Any

from django.conf import settings

from airsense.gateway import Gateway
from flights.query.limits import REFUSAL, Refusal

from . import bodies, charset, uploads
from . import environ as environs
from .bodies import Memory, Refused
from .environ import Environ, Scope
from .exchange import Exchange, whole
from .pool import Pool

log = logging.getLogger(__name__)

LOOK = 0.25  # seconds; who left is noticed at most so much later
# These have threads of their own: whoever asks for the state is answered while PostgreSQL hangs and
# with it every thread that queries, and a crowd that asks holds no query up.
HEALTH = "/healthz"
STATES = {"/readyz", "/connector", "/dbstatus", "/rdsstatus"}
SPARE = 12  # threads more, where others wait for slow clients; each may have a connection


class Edge:
    def __init__(self, gateway: Gateway, loop: asyncio.AbstractEventLoop, threads: int) -> None:
        self.gateway, self.loop = gateway, loop
        self.pool, self.health, self.states = Pool(threads, SPARE), Pool(1), Pool(1)
        self.present: set[Exchange] = set()
        self.looking = loop.create_task(self._look())

    def __call__(self, watcher: Any) -> None:
        """A request came. Granian's thread must not wait here, and takes no exception."""
        try:
            self._begin(watcher.scope, watcher.proto)
        except Exception:
            log.exception("a request could not be begun")
            watcher.done()  # Granian answers 500

    def _begin(self, scope: Scope, protocol: Any) -> None:
        environ = environs.of(scope)
        if sent := self.gateway.known(environ):
            whole(protocol, sent)
            return
        exchange = Exchange(scope, environ, protocol, self.loop)
        if environs.has_body(environ):
            self.loop.call_soon_threadsafe(self._receive, exchange)
        else:
            charset.forget_charset(environ)
            environ["wsgi.input"] = Memory()
            self._queue(exchange)

    def _receive(self, exchange: Exchange) -> None:
        exchange.task = self.loop.create_task(self._read(exchange))
        exchange.task.add_done_callback(lambda task: self._read_to_its_end(exchange, task))

    async def _read(self, exchange: Exchange) -> None:
        """Read the body, or find out why not, and let a thread answer."""
        environ, receive = exchange.environ, exchange.protocol.receive
        try:
            charset.check(environ.get("CONTENT_TYPE", ""))
            file, limit = await self._place(environ)
            environ["wsgi.input"] = file
            size = await bodies.read(receive, file, environ.get("CONTENT_LENGTH", ""), limit)
            environ["CONTENT_LENGTH"] = str(size)
            self._queue(exchange)
        except Refused as refused:
            self._refuse(exchange, refused.refusal)
            await bodies.discard(receive)

    async def _place(self, environ: Environ) -> tuple[IO[bytes], int]:
        """Where a body is written, and how many bytes at most."""
        if uploads.is_upload(environ) and await self.pool.run(uploads.is_allowed, environ):
            return uploads.file(), settings.UPLOAD_LIMIT + settings.BODY_LIMIT
        return Memory(), settings.BODY_LIMIT

    def _refuse(self, exchange: Exchange, refusal: Refusal) -> None:
        environ = exchange.environ
        environ.pop("wsgi.input", Memory()).close()
        charset.forget_charset(environ)
        environ |= {REFUSAL: refusal, "CONTENT_LENGTH": "0", "wsgi.input": Memory()}
        self._queue(exchange)

    def _read_to_its_end(self, exchange: Exchange, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()):
            log.error("a body could not be read", exc_info=error)
            exchange.fail()

    def _queue(self, exchange: Exchange) -> None:
        self.present.add(exchange)
        self._pool_of(exchange.environ["PATH_INFO"]).put(lambda: self._answer(exchange))

    def _pool_of(self, path: str) -> Pool:
        if path == HEALTH:
            return self.health
        return self.states if path in STATES else self.pool

    def _answer(self, exchange: Exchange) -> None:
        try:
            if not exchange.gone.is_set():
                exchange.stream(self.gateway.made(exchange.environ), self.pool.waiting)
        except Exception:
            log.exception("a request could not be answered")
            exchange.fail()
        finally:
            self.present.discard(exchange)
            exchange.environ["wsgi.input"].close()

    async def _look(self) -> None:
        """Watch for clients who leave; most requests are answered before that is worth its cost."""
        while True:
            await asyncio.sleep(LOOK)
            for exchange in list(self.present):
                exchange.watch()
