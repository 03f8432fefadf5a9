"""A snapshot whose calls can be given up: what a warehouse does cannot always be interrupted.

Its calls run in a thread of their own, in turn. Whoever waits for one looks all the while whether
it should go on; if not, the thread is left to itself and ends with the call. Rows are read one
batch ahead, so that the warehouse works while PostgreSQL does.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue
from typing import Any

import pyarrow as pa

from transfers import verify
from transfers.warehouses import Snapshot, Warehouse

EVERY = 0.25  # seconds between two looks


class Calls:
    """Runs calls one after the other in a thread; `check` raises where waiting has no sense."""

    def __init__(self, check: Callable[[], object]) -> None:
        self._check = check
        self._asked: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # A daemon, as nobody can say when a call that was given up returns.
        threading.Thread(target=self._run, name="warehouse", daemon=True).start()

    def start[T](self, call: Callable[..., T], *arguments: Any) -> "Future[T]":
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(call(*arguments))
            except BaseException as error:  # noqa: BLE001  # raised where it is waited for
                future.set_exception(error)

        self._asked.put(run)
        return future

    def result[T](self, started: "Future[T]") -> T:
        while True:
            try:
                return started.result(EVERY)
            except TimeoutError:
                if started.done():
                    return started.result()  # a TimeoutError of its own, or it has just ended
            self._check()

    def end(self) -> None:
        self._asked.put(None)

    def _run(self) -> None:
        while run := self._asked.get():
            run()


class Watched:
    """A `Snapshot` whose figures can be computed while something else is done."""

    def __init__(self, calls: Calls, source: Snapshot) -> None:
        self._calls, self._source = calls, source
        self.version, self.schema, self.rows = source.version, source.schema, source.rows

    def batches(
        self, columns: Sequence[str], order: Sequence[str], after: tuple[str, Any] | None = None
    ) -> Iterator[pa.RecordBatch]:
        return self._ahead(self._source.batches, columns, order, after)

    def changes(
        self, columns: Sequence[str], key: Sequence[str], since: str
    ) -> Iterator[pa.RecordBatch]:
        return self._ahead(self._source.changes, columns, key, since)

    def figures_ahead(
        self, schema: pa.Schema, columns: Sequence[str]
    ) -> Callable[[], verify.Figures]:
        """The warehouse computes them from now on; the call that is returned waits for them."""
        return partial(self._calls.result, self._calls.start(self._source.figures, schema, columns))

    def comments(self) -> dict[str, str]:
        return self._calls.result(self._calls.start(self._source.comments))

    def _ahead(
        self, read: Callable[..., Iterator[pa.RecordBatch]], *arguments: Any
    ) -> Iterator[pa.RecordBatch]:
        batches = self._calls.result(self._calls.start(read, *arguments))
        following = self._calls.start(next, batches, None)
        while (batch := self._calls.result(following)) is not None:
            following = self._calls.start(next, batches, None)
            yield batch


@contextmanager
def snapshot(warehouse: Warehouse, table: str, check: Callable[[], object]) -> Iterator[Watched]:
    """`warehouse.snapshot(table)`, watched."""
    calls, opened = Calls(check), warehouse.snapshot(table)
    try:
        yield Watched(calls, calls.result(calls.start(opened.__enter__)))
    finally:
        closed = calls.start(opened.__exit__, None, None, None)
        calls.end()
        calls.result(closed)
