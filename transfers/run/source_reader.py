"""Read a warehouse snapshot in a thread, so that a transfer can stop during a long call.

Warehouse calls cannot always be interrupted. If the transfer has to stop, it abandons the thread,
which ends with its call. Rows are read one batch ahead, so that warehouse and PostgreSQL work at
the same time.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any

import pyarrow as pa

from flights.mirror import MirroredTable, column
from transfers.figures import Figures
from transfers.warehouses import Snapshot, Warehouse

INTERVAL = 0.25  # seconds between two calls of `check`


class Calls:
    """Runs calls one after the other in a thread; `check` raises to stop waiting for them."""

    def __init__(self, check: Callable[[], object]) -> None:
        self._check = check
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # A daemon, because an abandoned call may never return.
        threading.Thread(target=self._run, name="warehouse", daemon=True).start()

    def start[T](self, call: Callable[..., T], *arguments: Any) -> "Future[T]":
        """Queue a call for the thread; return the future of its result."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(call(*arguments))
            except BaseException as error:  # noqa: BLE001  # `result` raises it
                future.set_exception(error)

        # In a copy of the caller's context: log fields and spans of the transfer.
        self._queue.put(partial(copy_context().run, run))
        return future

    def result[T](self, started: "Future[T]") -> T:
        """Wait for a call's result or exception; calls `check` while it waits."""
        while True:
            try:
                return started.result(INTERVAL)
            except TimeoutError:
                if started.done():
                    return started.result()  # the call raised TimeoutError, or has just ended
            self._check()

    def end(self) -> None:
        """Let the thread end after the queued calls."""
        self._queue.put(None)

    def _run(self) -> None:
        while run := self._queue.get():
            run()


class ThreadedSnapshot:
    """A `Snapshot` that is read through `Calls`."""

    def __init__(self, calls: Calls, source: Snapshot) -> None:
        self._calls, self._source = calls, source
        self.version, self.schema, self.rows = source.version, source.schema, source.rows
        self.notes = source.notes

    def batches(
        self, columns: Sequence[str], order: Sequence[str], after: tuple[str, Any] | None = None
    ) -> Iterator[pa.RecordBatch]:
        return self._ahead(self._source.batches, columns, order, after)

    def changes(
        self, columns: Sequence[str], key: Sequence[str], since: str
    ) -> Iterator[pa.RecordBatch]:
        return self._ahead(self._source.changes, columns, key, since)

    def figures_ahead(self, schema: pa.Schema, columns: Sequence[str]) -> Callable[[], Figures]:
        """Start computing the figures in the warehouse; returns a function that waits for them."""
        return partial(self._calls.result, self._calls.start(self._source.figures, schema, columns))

    def ahead[T](self, call: Callable[[Snapshot], T]) -> Callable[[], T]:
        """Start `call` with the snapshot; returns a function that waits for its result."""
        return partial(self._calls.result, self._calls.start(call, self._source))

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


def of_model(
    warehouse: Warehouse, model: type[MirroredTable], check: Callable[[], object]
) -> AbstractContextManager[ThreadedSnapshot]:
    """Open the source of a mirrored table as its mirror declares."""
    mirror = model.mirror
    json = [column(model, name) for name in mirror.json]
    table = mirror.source or model._meta.db_table
    return snapshot(warehouse, table, check, json=json, pinned=mirror.pinned)


@contextmanager
def snapshot(
    warehouse: Warehouse, table: str, check: Callable[[], object], **options: Any
) -> Iterator[ThreadedSnapshot]:
    """Open `warehouse.snapshot(table, **options)`; waiting for it stops when `check` raises."""
    calls, opened = Calls(check), warehouse.snapshot(table, **options)
    try:
        yield ThreadedSnapshot(calls, calls.result(calls.start(opened.__enter__)))
    finally:
        closed = calls.start(opened.__exit__, None, None, None)
        calls.end()
        calls.result(closed)
