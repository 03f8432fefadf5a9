"""Threads in which Django answers. They end with the process: nobody waits for them at its end."""

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
    """`threads` of them work. One that waits for a slow client lets another work, up to `spare`."""

    def __init__(self, threads: int, spare: int = 0) -> None:
        self.jobs: SimpleQueue[Job] = SimpleQueue()
        self.spare, self.surplus = spare, 0
        self.changing = threading.Lock()
        for _ in range(threads):
            self._start()

    def put(self, job: Job) -> None:
        self.jobs.put(job)

    async def run[T](self, work: Callable[..., T], *arguments: Any) -> T:
        """The result of work that one of the threads does."""
        future: Future[T] = Future()

        def job() -> None:
            try:
                future.set_result(work(*arguments))
            except BaseException as error:  # noqa: BLE001  # it is raised where it is awaited
                future.set_exception(error)

        self.put(job)
        return await asyncio.wrap_future(future)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Another thread works while this one waits."""
        with self.changing:
            replaced = self.spare > 0
            self.spare -= replaced
        if replaced:
            self._start()
        try:
            yield
        finally:
            with self.changing:
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
        if not self.surplus:  # without the lock: it is looked at after every request
            return False
        with self.changing:
            surplus = self.surplus > 0
            self.surplus -= surplus
        return surplus
