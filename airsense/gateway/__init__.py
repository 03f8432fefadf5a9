"""The response cache in front of Django; docs/gateway.md says what it promises."""

import time
from concurrent.futures import Future
from typing import Any

from django.conf import settings

from airsense import request_ids
from flights.throttles import TOLD

from . import answers, metrics, questions, shortcut
from .answers import Answer, Body, Reply
from .questions import Environ, Question
from .store import Store
from .watch import Sight, Watch

# A public query may take 5 s; who waits longer for another's answer asks Django itself.
WAIT = 10.0
METRICS = "/metrics"


class Gateway:
    """A WSGI application that answers what it has of the current version; the rest is Django's."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.store = Store(settings.RESPONSE_CACHE_BYTES)
        self.watch = Watch()
        self.flights: dict[object, Future[Answer | None]] = {}
        self.counted = {"hit": 0, "miss": 0, "bypass": 0}

    def __call__(self, environ: Environ, start_response: Any) -> Body:
        environ["airsense.request_id"] = request_ids.begin(environ)
        environ[TOLD] = []
        if environ["PATH_INFO"] == METRICS:
            return metrics.show(self, start_response)
        sight = self.watch.sight
        asked = questions.read(environ)
        if asked is None or time.monotonic() > sight.until:
            return self.send(self.ask(environ), "bypass", environ, start_response)
        known = self.store.get(asked.key)
        if known and known.states <= sight.current and (reply := known.reply(environ)):
            return self.send(reply, "hit", environ, start_response)
        return self.miss(asked, sight, environ, start_response)

    def miss(self, asked: Question, sight: Sight, environ: Environ, start_response: Any) -> Body:
        """Django is asked once for all that ask the same at the same time, of the same sight."""
        flight, mine = (asked.key, sight.current), Future[Answer | None]()
        leader = self.flights.setdefault(flight, mine)
        if leader is not mine:
            return self.follow(leader, environ, start_response)
        answer = None
        try:
            # The canonical query, so that an answer depends on nothing but its key.
            canonical = {**environ, "QUERY_STRING": asked.query}
            reply = shortcut.answer(canonical) or self.ask(canonical)
            answer = answers.kept(reply, asked.gzip, sight.current)
            if answer:
                self.store.put(asked.key, answer)
        finally:
            del self.flights[flight]
            mine.set_result(answer)
        return self.send(
            (answer and answer.reply(environ)) or reply, "miss", environ, start_response
        )

    def follow(
        self, leader: "Future[Answer | None]", environ: Environ, start_response: Any
    ) -> Body:
        """The leader's answer; where it has none for others, everybody asks for himself."""
        try:
            answer = leader.result(WAIT)
        except TimeoutError:
            answer = None
        if answer and (reply := answer.reply(environ)):
            return self.send(reply, "hit", environ, start_response)
        return self.send(self.ask(environ), "miss", environ, start_response)

    def ask(self, environ: Environ) -> Reply:
        """Django's answer. It is begun when this returns; a stream is not read."""
        begun: list[Any] = []
        body = self.application(environ, lambda *said: begun.extend(said[:2]))
        status, headers = begun
        return Reply(status, headers, body)

    def send(self, reply: Reply, how: str, environ: Environ, start_response: Any) -> Body:
        self.counted[how] += 1
        own = ("x-airsense-cache", how), (request_ids.HEADER, environ["airsense.request_id"])
        start_response(reply.status, [*reply.headers, *own, *environ[TOLD]])
        body: Body = reply.body
        return body
