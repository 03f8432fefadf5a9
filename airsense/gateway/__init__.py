"""A response cache in front of Django; docs/gateway.md describes its guarantees."""

import time
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from django.conf import settings

from airsense import hanging_database, request_ids, routes
from airsense.access_log import AccessLog
from airsense.metrics import exposition
from airsense.metrics.web import WebMetrics
from flights import lending, log_fields, tracing
from flights.access import throttles
from flights.access.throttles import RATE_HEADERS, SCOPES
from flights.query.limits import REFUSAL

from . import cache_key, canonical_request, entry, fast_path
from .cache_key import CacheKey, Environ
from .entry import Body, Entry, Failure, Headers, Reply
from .store import Store
from .watch import Snapshot, Watch

# Seconds to wait for another request's response before asking Django. A query may take 5 s.
WAIT_TIMEOUT = 10.0
BRIEF = 0.02  # seconds to wait before another thread replaces the one that waits
METRICS = "/metrics"
CACHE = "x-airsense-cache"
REQUEST_ID = "airsense.request_id"
KEY = "airsense.cache_key"
RECEIVED = "airsense.received"  # time.monotonic() when the headers were read


type Flight = Future[Entry | Failure | None]  # the result that simultaneous requests share


class ClientReply(NamedTuple):
    """A reply that clients share, and headers for this client only."""

    reply: Reply
    own_headers: Headers


class Gateway:
    """A WSGI application that sends current cached responses, and calls Django otherwise.

    Simultaneous requests with the same key and the same published versions run once. Outcomes:
    "hit" (cached), "miss" (cacheable, but Django answered) and "bypass" (not cacheable).
    """

    def __init__(self, application: Any) -> None:
        self.application = application
        self.store = Store(settings.RESPONSE_CACHE_BYTES)
        self.watch = Watch()
        self.in_flight: dict[object, Flight] = {}
        self.access_log = AccessLog()
        self.metrics = WebMetrics(
            cache_entries=lambda: len(self.store),
            cache_bytes=lambda: self.store.size,
            cache_limit_bytes=lambda: self.store.limit,
            cache_sees_versions=lambda: time.monotonic() < self.watch.snapshot.valid_until,
        )

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
        environ[RECEIVED] = now = time.monotonic()
        environ[KEY] = key = cache_key.read(environ)
        snapshot = self.watch.snapshot
        if key is None or now > snapshot.valid_until:
            return None
        cached = self._current(key, snapshot)
        if not cached or not throttles.admits_at_once(environ, cached.scopes):
            return None
        reply = cached.reply(environ)
        if not reply or cache_key.has_body(environ):  # the body has to be read, or refused, first
            return None
        self.metrics.hit(key.path, reply.status)
        if self.access_log.hits:
            self._log(environ, reply, routes.of(key.path), "hit")
        return self._reply(reply, "hit", environ)

    def computed(self, environ: Environ) -> ClientReply:
        """Let Django answer, and cache the response if other clients may get it."""
        if environ["PATH_INFO"] == METRICS:
            self.metrics.flush()
            return ClientReply(Reply("200 OK", exposition.HEADERS, [exposition.text(environ)]), [])
        route = routes.of(environ["PATH_INFO"])
        log_fields.begin(request_id=environ[REQUEST_ID], route=route)
        with self._span(environ, route) as span:
            response = self._computed(environ)
            self._record(environ, response, route, span)
        return response

    def _computed(self, environ: Environ) -> ClientReply:
        key, snapshot = environ[KEY], self.watch.snapshot
        if key is None or REFUSAL in environ or time.monotonic() > snapshot.valid_until:
            return self._reply(self._call_django(environ), "bypass", environ)
        cached = self._current(key, snapshot)
        refused = cached and not _admits(environ, cached.scopes)
        if key.file or refused:  # Django's response says why it refuses the API key
            return self._reply(self._call_django(environ), "miss", environ)
        return self._load(key, snapshot, environ)

    def _current(self, key: CacheKey, snapshot: Snapshot) -> Entry | None:
        cached = self.store.get(key)
        return cached if cached and cached.versions <= snapshot.versions else None

    def _load(self, key: CacheKey, snapshot: Snapshot, environ: Environ) -> ClientReply:
        """Call Django once for all simultaneous requests with this key and these versions."""
        flight, own = (key, snapshot.versions), Future[Entry | Failure | None]()
        request = canonical_request.request(key, environ)
        leader = self.in_flight.setdefault(flight, own)
        if leader is not own:
            return self._follow(leader, request, environ)
        new: Entry | Failure | None = None
        try:
            cached = self._current(key, snapshot)  # perhaps cached since the first lookup
            if reply := _for_client(cached, environ):
                new = cached
                return self._reply(reply, "hit", environ)
            reply = fast_path.respond(request) or self._call_django(request)
            if cached := entry.from_reply(reply, key.gzip, snapshot.versions, request[SCOPES]):
                self.store.put(key, cached)
                reply, new = cached.reply(environ) or reply, cached
            elif failed := entry.failure(reply, request[SCOPES]):
                reply, new = failed.full, failed
        finally:
            del self.in_flight[flight]
            own.set_result(new)
        return self._reply(reply, "miss", environ)

    def _follow(self, leader: Flight, request: Environ, environ: Environ) -> ClientReply:
        """Wait for the leader's entry or failure. If it has none, call Django for this request."""
        try:
            shared = lending.result(leader, BRIEF, WAIT_TIMEOUT)
        except TimeoutError:
            shared = None
        if reply := _for_client(shared, environ):
            return self._reply(reply, "miss" if isinstance(shared, Failure) else "hit", environ)
        return self._reply(self._call_django(request), "miss", environ)

    def _call_django(self, environ: Environ) -> Reply:
        """Call Django. The body of a streaming response is not read yet."""
        start: list[Any] = []
        body = self.application(environ, lambda *arguments: start.extend(arguments[:2]))
        status, headers = start
        return Reply(status, headers, body)

    def _reply(self, reply: Reply, outcome: str, environ: Environ) -> ClientReply:
        own_headers = [
            (CACHE, outcome),
            (request_ids.HEADER, environ[REQUEST_ID]),
            *environ[RATE_HEADERS],
        ]
        return ClientReply(reply, own_headers)

    def _span(self, environ: Environ, route: str) -> AbstractContextManager[Any]:
        """Begin the span of a request, which continues the client's trace."""
        method, parent = environ["REQUEST_METHOD"], environ.get("HTTP_TRACEPARENT", "")
        attributes = {"http.request.method": routes.method(method), "http.route": route}
        attributes[REQUEST_ID] = environ[REQUEST_ID]
        return tracing.span(f"{routes.method(method)} {route}", "server", parent, **attributes)

    def _record(self, environ: Environ, response: ClientReply, route: str, span: Any) -> None:
        """Add a response of Django to logs, metrics and traces."""
        outcome, status = dict(response.own_headers)[CACHE], response.reply.status
        if span:
            span.set_attributes({"http.response.status_code": int(status[:3]), CACHE: outcome})
        seconds = self._log(environ, response.reply, route, outcome)
        self.metrics.computed(route, status, outcome, seconds)

    def _log(self, environ: Environ, reply: Reply, route: str, outcome: str) -> float:
        """Write the line about a request; return the seconds since its headers were read."""
        seconds: float = time.monotonic() - environ[RECEIVED]
        fields = {"route": route, "cache": outcome, "request_id": environ[REQUEST_ID]}
        self.access_log.write(environ, reply.status, reply.headers, seconds, **fields)
        return seconds


def _for_client(shared: Entry | Failure | None, environ: Environ) -> Reply | None:
    """The reply to a client; None if only the 304 is cached, or its API key is refused."""
    admitted = shared and _admits(environ, shared.scopes)
    return shared.reply(environ) if shared and admitted else None


def _admits(environ: Environ, scopes: frozenset[str]) -> bool:
    """Call `throttles.admits`, which may look up the API key in a PostgreSQL that hangs."""
    with hanging_database.watch.watched():
        return throttles.admits(environ, scopes)
