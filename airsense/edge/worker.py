"""A web process: Granian's ASGI worker, which calls the edge directly for each request.

Granian would start a task in the event loop per request, which takes twice as long as a cached
response. `run` has the parameters of the workers in granian.server.mp (Granian 2.8).
"""

import asyncio
import logging
import os
import signal
from functools import partial
from typing import Any, cast

from granian._granian import ASGIWorker, CallbackScheduler
from granian._signals import set_loop_signals
from granian.constants import HTTPModes, RuntimeModes
from granian.server.common import WORKERS_METHODS
from granian.server.mp import WorkerProcess

from airsense.gateway import Gateway

from . import Edge

# Granian's threads that call the edge and send cached responses. They never wait, so more would
# only compete for the GIL: 2 to 6 threads answer a quarter fewer requests.
EDGE_THREADS = 1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Scheduler(CallbackScheduler):
    """Calls the edge for each request instead of starting a task in the loop."""

    def __new__(cls, edge: Edge) -> "Scheduler":
        scheduler: Any = super().__new__(cls, edge.loop, edge, None, None, None)  # type: ignore[call-arg]
        scheduler._schedule_fn = edge
        return cast("Scheduler", scheduler)


def end_forks_by_signals() -> None:
    """Let stop signals end each fork of this process until the fork has its own handlers.

    A fork inherits the main process's handlers, which only set a flag in its copy of the server: a
    worker that gets a signal before it serves would never stop. And Python forgets the signals that
    a fork gets before its first line runs, so they are blocked until then.
    """
    os.register_at_fork(
        before=partial(signal.pthread_sigmask, signal.SIG_BLOCK, STOP_SIGNALS),
        after_in_parent=partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, STOP_SIGNALS),
        after_in_child=_end_by_signals,
    )


def _end_by_signals() -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


@WorkerProcess.wrap_target
def run(
    number: int,
    gateway: Gateway,
    sock: Any,
    ipc: Any,
    loop: asyncio.AbstractEventLoop,
    mode: RuntimeModes,
    runtime_threads: int,
    runtime_blocking_threads: int,
    threads: int,
    idle_timeout: int,
    backpressure: int,
    _task_impl: Any,
    http: HTTPModes,
    http1: Any,
    http2: Any,
    websockets: bool,
    static: Any,
    _access_log: Any,
    ssl: tuple[Any, ...],
    _scope: Any,
    metrics: Any,
) -> None:
    """Load the application and serve requests on `sock`; `threads` threads run Django."""
    logging.getLogger("_granian.asgi.io").setLevel(logging.ERROR)  # it logs every disconnect
    worker = ASGIWorker(
        *(number, sock, ipc, runtime_threads, runtime_blocking_threads, EDGE_THREADS),
        *(idle_timeout, backpressure, http, http1, http2, websockets, static, *ssl, metrics),
    )
    stopped, stop = asyncio.Event(), set_loop_signals(loop)  # type: ignore[no-untyped-call]
    stop.add_cb(lambda: loop.call_soon_threadsafe(stopped.set))
    serve = getattr(worker, WORKERS_METHODS[mode][(sock[0] or sock[1]).is_uds()])
    serve(Scheduler(Edge(gateway, loop, threads)), loop, stop)
    loop.run_until_complete(stopped.wait())
