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

log = logging.getLogger(__name__)

type Job = Callable[[], object]


class Pool:
    """`threads` threads that run jobs, plus up to `spare` while others wait for slow clients."""

    def __init__(self, threads: int, spare: int = 0) -> None:
        self.jobs: SimpleQueue[Job] = SimpleQueue()
        self.spare, self.surplus = spare, 0
        self.lock = threading.Lock()
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
    def lend_thread(self) -> Iterator[None]:
        """Let a spare thread run jobs while the caller waits; afterwards one thread ends."""
        with self.lock:
            replaced = self.spare > 0
            self.spare -= replaced
        if replaced:
            self._start()
        try:
            yield
        finally:
            with self.lock:
                self.spare += replaced
                self.surplus += replaced

    def _start(self) -> None:
        threading.Thread(target=self._work, name="answers", daemon=True).start()

    def _work(self) -> None:
        while not self._is_surplus():
            try:
                self.jobs.get()()
            except Exception:
                log.exception("a request failed")
        connections.close_all()

    def _is_surplus(self) -> bool:
        if not self.surplus:  # first without the lock, because this runs after every request
            return False
        with self.lock:
            surplus = self.surplus > 0
            self.surplus -= surplus
        return surplus
