"""Daemon threads that run Django; the process can stop without waiting for them."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from django.db import connections

from flights import lending

log = logging.getLogger(__name__)

IDLE = 30.0  # seconds after which a thread without a place ends, and closes its connections

type Job = Callable[[], object]


class Pool:
    """Runs jobs in `threads` threads, plus one for each thread that waits, up to `spare`."""

    def __init__(self, threads: int, spare: int = 0, idle: float = IDLE) -> None:
        self.jobs: SimpleQueue[Job] = SimpleQueue()
        self.spare, self.surplus, self.idle = spare, 0, idle
        self.parked, self.called = 0, 0  # threads without a place; those of them that get one
        self.changed = threading.Condition()
        for _ in range(threads):
            self._start()

    def put(self, job: Job) -> None:
        """Queue a job."""
        self.jobs.put(job)

    async def run[T](self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function in one of the threads and return its result."""
        future: Future[T] = Future()

        def job() -> None:
            try:
                future.set_result(function(*arguments))
            except BaseException as error:  # noqa: BLE001  # raised where the result is awaited
                future.set_exception(error)

        self.put(job)
        return await asyncio.wrap_future(future)

    @contextmanager
    def lend(self) -> Iterator[None]:
        """Let another thread run jobs while the caller waits; afterwards one thread stops."""
        with self.changed:
            replaced = self.spare > 0
            if replaced:
                self._add_place()
                self.spare -= 1
        try:
            yield
        finally:
            with self.changed:
                self.spare += replaced
                self.surplus += replaced

    def _add_place(self) -> None:
        if self.surplus:
            self.surplus -= 1
        elif self.parked > self.called:
            self.called += 1
            self.changed.notify()
        else:
            self._start()

    def _start(self) -> None:
        threading.Thread(target=self._work, name="answers", daemon=True).start()

    def _work(self) -> None:
        lending.lend_by(self.lend)
        while not self._is_surplus() or self._is_called():
            try:
                self.jobs.get()()
            except Exception:
                log.exception("a request failed")
        connections.close_all()

    def _is_surplus(self) -> bool:
        if not self.surplus:  # first without the lock, because this runs after every request
            return False
        with self.changed:
            surplus = self.surplus > 0
            self.surplus -= surplus
        return surplus

    def _is_called(self) -> bool:
        """Wait until another thread lends its place; False if none does for `idle` seconds."""
        with self.changed:
            self.parked += 1
            called = self.changed.wait_for(lambda: self.called > 0, self.idle)
            self.parked -= 1
            self.called -= called
        return called
