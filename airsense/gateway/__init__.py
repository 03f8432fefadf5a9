"""A response cache in front of Django; docs/gateway.md describes its guarantees."""

import time
from concurrent.futures import Future
from typing import Any, NamedTuple

from django.conf import settings

from airsense import request_ids
from flights.access.throttles import RATE_HEADERS
from flights.query.limits import REFUSAL

from . import cache_key, canonical_request, entry, fast_path, metrics
from .cache_key import CacheKey, Environ
from .entry import Body, Entry, Headers, Reply
from .store import Store
from .watch import Snapshot, Watch

# Seconds to wait for another request's response before asking Django. A query may take 5 s.
WAIT_TIMEOUT = 10.0
METRICS = "/metrics"
REQUEST_ID = "airsense.request_id"


class ClientReply(NamedTuple):
    """A reply that clients share, and headers for this client only."""

    reply: Reply
    own_headers: Headers


class Gateway:
    """A WSGI application: answers from the cache what is current, and lets Django do the rest.

    Simultaneous requests with the same key and the same published versions run once. Outcomes:
    "hit" (cached), "miss" (cacheable, but Django answered) and "bypass" (not cacheable).
    """

    def __init__(self, application: Any) -> None:
        self.application = application
        self.store = Store(settings.RESPONSE_CACHE_BYTES)
        self.watch = Watch()
        self.in_flight: dict[object, Future[Entry | None]] = {}
        self.counts = {"hit": 0, "miss": 0, "bypass": 0}

    def __call__(self, environ: Environ, start_response: Any) -> Body:
        reply, own_headers = self.cached(environ) or self.computed(environ)
        start_response(reply.status, [*reply.headers, *own_headers])
        body: Body = reply.body
        return body

    def cached(self, environ: Environ) -> ClientReply | None:
        """Answer without waiting for anything; None if Django has to answer.

        Also prepares `environ` for `computed`: the request id and the list of rate-limit headers.
        """
        environ[REQUEST_ID] = request_ids.name(environ)
        environ[RATE_HEADERS] = []
        if environ["PATH_INFO"] == METRICS:
            return ClientReply(metrics.show(self), [])
        key, snapshot = cache_key.read(environ), self.watch.snapshot
        if key is None or time.monotonic() > snapshot.valid_until:
            return None
        reply = self._look_up(key, snapshot, environ)
        return self._reply(reply, "hit", environ) if reply else None

    def computed(self, environ: Environ) -> ClientReply:
        """Let Django answer, and cache the response if other clients may get it."""
        request_ids.current.set(environ[REQUEST_ID])
        key, snapshot = cache_key.read(environ), self.watch.snapshot
        if key is None or REFUSAL in environ or time.monotonic() > snapshot.valid_until:
            return self._reply(self._call_django(environ), "bypass", environ)
        if key.file:
            return self._reply(self._call_django(environ), "miss", environ)
        return self._load(key, snapshot, environ)

    def _look_up(self, key: CacheKey, snapshot: Snapshot, environ: Environ) -> Reply | None:
        cached = self.store.get(key)
        return cached.reply(environ) if cached and cached.versions <= snapshot.versions else None

    def _load(self, key: CacheKey, snapshot: Snapshot, environ: Environ) -> ClientReply:
        """Call Django once for all simultaneous requests with this key and these versions."""
        flight, own = (key, snapshot.versions), Future[Entry | None]()
        request = canonical_request.request(key, environ)
        leader = self.in_flight.setdefault(flight, own)
        if leader is not own:
            return self._follow(leader, request, environ)
        new = None
        try:
            if reply := self._look_up(key, snapshot, environ):  # cached since the first look
                new = self.store.get(key)
                return self._reply(reply, "hit", environ)
            reply = fast_path.answer(request) or self._call_django(request)
            new = entry.from_reply(reply, key.gzip, snapshot.versions)
            if new:
                self.store.put(key, new)
        finally:
            del self.in_flight[flight]
            own.set_result(new)
        return self._reply((new and new.reply(environ)) or reply, "miss", environ)

    def _follow(
        self, leader: "Future[Entry | None]", request: Environ, environ: Environ
    ) -> ClientReply:
        """Wait for the leader's entry. If it has none to share, call Django for this request."""
        try:
            shared = leader.result(WAIT_TIMEOUT)
        except TimeoutError:
            shared = None
        if shared and (reply := shared.reply(environ)):
            return self._reply(reply, "hit", environ)
        return self._reply(self._call_django(request), "miss", environ)

    def _call_django(self, environ: Environ) -> Reply:
        """Call Django. The body of a streaming response is not read yet."""
        start: list[Any] = []
        body = self.application(environ, lambda *arguments: start.extend(arguments[:2]))
        status, headers = start
        return Reply(status, headers, body)

    def _reply(self, reply: Reply, outcome: str, environ: Environ) -> ClientReply:
        self.counts[outcome] += 1
        own_headers = [
            ("x-airsense-cache", outcome),
            (request_ids.HEADER, environ[REQUEST_ID]),
            *environ[RATE_HEADERS],
        ]
        return ClientReply(reply, own_headers)
