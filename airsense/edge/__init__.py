"""The layer between clients and the gateway: slow clients never occupy a thread for long.

Granian calls the edge in one of its few threads. Cached responses are sent from that thread. An
event loop reads request bodies, so waiting for one costs no thread. Threads run Django only for
complete requests. docs/gateway.md describes the guarantees.
"""

import asyncio
import logging
from typing import IO, Any

from django.conf import settings

from airsense.gateway import METRICS, Gateway
from airsense.gateway.cache_key import has_body
from flights.query.limits import REFUSAL, Refusal

from . import bodies, charset, uploads
from . import environ as environs
from .bodies import MemoryBody, RefusedBody
from .environ import Environ, Scope
from .exchange import Exchange, send_cached
from .pool import Pool

log = logging.getLogger(__name__)

POLL = 0.25  # seconds; a disconnect is noticed at most this much later
# These paths have threads of their own. So they respond while PostgreSQL hangs and blocks all other
# threads, and many requests for them do not delay queries.
HEALTH = "/healthz"
STATES = {"/readyz", "/connector", "/dbstatus", "/rdsstatus"}
STATUS = {"/status", "/api/status"}  # the worker's check takes a second: it must not delay /readyz
SPARE = 12  # extra threads while others wait for slow clients; each may open a connection


class Edge:
    """Accepts requests from Granian, reads their bodies and passes them to the gateway.

    `threads` is the number of threads that run Django; `loop` reads bodies and sends responses.
    """

    def __init__(self, gateway: Gateway, loop: asyncio.AbstractEventLoop, threads: int) -> None:
        self.gateway, self.loop = gateway, loop
        self.pool, states, status = Pool(threads, SPARE), Pool(1), Pool(1)
        self.pools = {HEALTH: Pool(1), METRICS: Pool(1)}
        self.pools |= dict.fromkeys(STATES, states) | dict.fromkeys(STATUS, status)
        self.active: set[Exchange] = set()
        gateway.metrics.values |= {
            "requests_running": lambda: len(self.active),
            "requests_waiting": self.pool.jobs.qsize,
        }
        self.poller = loop.create_task(self._poll())

    def __call__(self, watcher: Any) -> None:
        """Handle a new request. Granian's thread must not wait here and accepts no exception."""
        try:
            self._begin(watcher.scope, watcher.proto)
        except Exception:
            log.exception("cannot handle a request")
            watcher.done()  # Granian answers 500

    def _begin(self, scope: Scope, protocol: Any) -> None:
        environ = environs.from_scope(scope)
        if cached := self.gateway.cached(environ):
            send_cached(protocol, cached)
            return
        exchange = Exchange(scope, environ, protocol, self.loop)
        if has_body(environ):
            self.loop.call_soon_threadsafe(self._start_reading, exchange)
        else:
            charset.drop_charset(environ)
            environ["wsgi.input"] = MemoryBody()
            self._queue(exchange)

    def _start_reading(self, exchange: Exchange) -> None:
        exchange.task = self.loop.create_task(self._read(exchange))
        exchange.task.add_done_callback(lambda task: self._reading_ended(exchange, task))

    async def _read(self, exchange: Exchange) -> None:
        """Read the body, or refuse it, and queue the request for a thread."""
        environ, receive = exchange.environ, exchange.protocol.receive
        try:
            charset.check(environ.get("CONTENT_TYPE", ""))
            file, limit = await self._open_body(environ)
            environ["wsgi.input"] = file
            size = await bodies.read(receive, file, environ.get("CONTENT_LENGTH", ""), limit)
            environ["CONTENT_LENGTH"] = str(size)
            self._queue(exchange)
        except RefusedBody as error:
            self._refuse(exchange, error.refusal)
            await bodies.discard(receive)

    async def _open_body(self, environ: Environ) -> tuple[IO[bytes], int]:
        """Return the file to write the body to, and its limit in bytes."""
        if uploads.is_upload(environ) and await self.pool.run(uploads.is_allowed, environ):
            return uploads.file(), settings.UPLOAD_LIMIT + settings.BODY_LIMIT
        return MemoryBody(), settings.BODY_LIMIT

    def _refuse(self, exchange: Exchange, refusal: Refusal) -> None:
        environ = exchange.environ
        environ.pop("wsgi.input", MemoryBody()).close()
        charset.drop_charset(environ)
        environ |= {REFUSAL: refusal, "CONTENT_LENGTH": "0", "wsgi.input": MemoryBody()}
        self._queue(exchange)

    def _reading_ended(self, exchange: Exchange, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()):
            log.error("cannot read a request body", exc_info=error)
            exchange.fail()

    def _queue(self, exchange: Exchange) -> None:
        self.active.add(exchange)
        pool = self.pools.get(exchange.environ["PATH_INFO"], self.pool)
        pool.put(lambda: self._answer(exchange))

    def _answer(self, exchange: Exchange) -> None:
        try:
            if not exchange.disconnected.is_set():
                exchange.stream(self.gateway.computed(exchange.environ))
        except Exception:
            log.exception("cannot answer a request")
            exchange.fail()
        finally:
            self.active.discard(exchange)
            exchange.environ["wsgi.input"].close()

    async def _poll(self) -> None:
        """Watch for disconnects of active requests; most end before the first poll."""
        while True:
            await asyncio.sleep(POLL)
            self._watch_active()

    def _watch_active(self) -> None:
        """Not a part of `_poll`, whose variable would keep the last exchange and its connection."""
        for exchange in list(self.active):
            exchange.watch()
