"""A web process: Granian's own for ASGI, but that it tells the edge of each request directly.

Granian would start a task in the loop for each; an answer of the response cache costs half of that.
The arguments are those that Granian 2.8 gives each of its own workers.
"""

import asyncio
import logging
from typing import Any, cast

from granian._granian import ASGIWorker, CallbackScheduler
from granian._signals import set_loop_signals
from granian.constants import HTTPModes, RuntimeModes
from granian.server.common import WORKERS_METHODS
from granian.server.mp import WorkerProcess

from airsense.gateway import Gateway

from . import Edge

# Granian's threads that hand requests on, and send what the response cache has. They never wait, so
# more would only take Python from each other: 2 to 6 answer a quarter less.
HANDING_ON = 1


class Scheduler(CallbackScheduler):
    """Whom Granian tells of a request."""

    def __new__(cls, edge: Edge) -> "Scheduler":
        made: Any = super().__new__(cls, edge.loop, edge, None, None, None)  # type: ignore[call-arg]
        made._schedule_fn = edge
        return cast("Scheduler", made)


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
    logging.getLogger("_granian.asgi.io").setLevel(logging.ERROR)  # clients who left are no news
    worker = ASGIWorker(
        *(number, sock, ipc, runtime_threads, runtime_blocking_threads, HANDING_ON),
        *(idle_timeout, backpressure, http, http1, http2, websockets, static, *ssl, metrics),
    )
    stopped, stop = asyncio.Event(), set_loop_signals(loop)  # type: ignore[no-untyped-call]
    stop.add_cb(lambda: loop.call_soon_threadsafe(stopped.set))
    serve = getattr(worker, WORKERS_METHODS[mode][(sock[0] or sock[1]).is_uds()])
    serve(Scheduler(Edge(gateway, loop, threads)), loop, stop)
    loop.run_until_complete(stopped.wait())
