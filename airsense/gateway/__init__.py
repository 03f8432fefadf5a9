"""The response cache in front of Django; docs/gateway.md says what it promises."""

import time
from concurrent.futures import Future
from typing import Any, NamedTuple

from django.conf import settings

from airsense import request_ids
from flights.access.throttles import RATE_HEADERS
from flights.query.limits import REFUSAL

from . import cache_key, canonical_request, entry, fast_path, metrics
from .cache_key import Environ, Question
from .entry import Answer, Body, Headers, Reply
from .store import Store
from .watch import Sight, Watch

# A public query may take 5 s; who waits longer for another's answer asks Django itself.
WAIT = 10.0
METRICS = "/metrics"
NAMED = "airsense.request_id"


class Sent(NamedTuple):
    """A reply, and what this client alone is told with it."""

    reply: Reply
    own: Headers


class Gateway:
    """A WSGI application that answers what it has of the current version; the rest is Django's."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.store = Store(settings.RESPONSE_CACHE_BYTES)
        self.watch = Watch()
        self.flights: dict[object, Future[Answer | None]] = {}
        self.counted = {"hit": 0, "miss": 0, "bypass": 0}

    def __call__(self, environ: Environ, start_response: Any) -> Body:
        reply, own = self.known(environ) or self.made(environ)
        start_response(reply.status, [*reply.headers, *own])
        body: Body = reply.body
        return body

    def known(self, environ: Environ) -> Sent | None:
        """What is answered at once, without waiting for anything; None where Django has to."""
        environ[NAMED] = request_ids.name(environ)
        environ[RATE_HEADERS] = []
        if environ["PATH_INFO"] == METRICS:
            return Sent(metrics.show(self), [])
        question, sight = cache_key.read(environ), self.watch.sight
        if question is None or time.monotonic() > sight.until:
            return None
        reply = self.kept(question, sight, environ)
        return self.send(reply, "hit", environ) if reply else None

    def made(self, environ: Environ) -> Sent:
        """Django's answer, which is kept for others where it may be."""
        request_ids.current.set(environ[NAMED])
        question, sight = cache_key.read(environ), self.watch.sight
        if question is None or REFUSAL in environ or time.monotonic() > sight.until:
            return self.send(self.ask(environ), "bypass", environ)
        if question.file:
            return self.send(self.ask(environ), "miss", environ)
        return self.miss(question, sight, environ)

    def kept(self, question: Question, sight: Sight, environ: Environ) -> Reply | None:
        answer = self.store.get(question)
        return answer.reply(environ) if answer and answer.states <= sight.current else None

    def miss(self, question: Question, sight: Sight, environ: Environ) -> Sent:
        """Django is asked once for all that ask the same at the same time, of the same sight."""
        flight, mine = (question, sight.current), Future[Answer | None]()
        request = canonical_request.request(question, environ)
        leader = self.flights.setdefault(flight, mine)
        if leader is not mine:
            return self.follow(leader, request, environ)
        answer = None
        try:
            if reply := self.kept(question, sight, environ):  # while this request had to wait
                answer = self.store.get(question)
                return self.send(reply, "hit", environ)
            reply = fast_path.answer(request) or self.ask(request)
            answer = entry.kept(reply, question.gzip, sight.current)
            if answer:
                self.store.put(question, answer)
        finally:
            del self.flights[flight]
            mine.set_result(answer)
        return self.send((answer and answer.reply(environ)) or reply, "miss", environ)

    def follow(self, leader: "Future[Answer | None]", request: Environ, environ: Environ) -> Sent:
        """The leader's answer; where it has none for others, everybody asks for himself."""
        try:
            answer = leader.result(WAIT)
        except TimeoutError:
            answer = None
        if answer and (reply := answer.reply(environ)):
            return self.send(reply, "hit", environ)
        return self.send(self.ask(request), "miss", environ)

    def ask(self, environ: Environ) -> Reply:
        """Django's answer. It is begun when this returns; a stream is not read."""
        begun: list[Any] = []
        body = self.application(environ, lambda *said: begun.extend(said[:2]))
        status, headers = begun
        return Reply(status, headers, body)

    def send(self, reply: Reply, how: str, environ: Environ) -> Sent:
        self.counted[how] += 1
        own = [
            ("x-airsense-cache", how),
            (request_ids.HEADER, environ[NAMED]),
            *environ[RATE_HEADERS],
        ]
        return Sent(reply, own)
