"""Let another request run while a thread waits for something that takes longer than a usual query.

Threads compete for the GIL, so a web process runs few requests at the same time. A request that
will take long (a costly query, a file, a client that reads slowly) lends its place, so that usual
requests do not wait for it.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

type Lend = Callable[[], AbstractContextManager[None]]


class _Thread(threading.local):
    lend: Lend = nullcontext  # in threads for which no request waits, such as a worker's


_thread = _Thread()


def lend_by(lend: Lend) -> None:
    """Set how the current thread lends its place."""
    _thread.lend = lend


@contextmanager
def lent() -> Iterator[None]:
    """Lend the current thread's place while the block runs; a block inside it lends nothing."""
    lend, _thread.lend = _thread.lend, nullcontext
    try:
        with lend():
            yield
    finally:
        _thread.lend = lend


def result[T](future: Future[T], brief: float, timeout: float) -> T:
    """The result of a future; the place is lent if it takes longer than `brief` seconds.

    Raises TimeoutError after `timeout` seconds more.
    """
    with suppress(TimeoutError):
        return future.result(brief)
    with lent():
        return future.result(timeout)
