"""`manage.py serve`: run the web server (Granian with this project's worker, airsense.edge)."""

import gc
import os
import resource
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from granian import Granian
from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.http import HTTP1Settings

from airsense import arguments, cpus
from airsense.metrics import folder

# Length of the accept queue: 6,000 clients that connect at once wait instead of being refused.
BACKLOG = 8_192
PROCESSES = cpus.usable()
# Threads per process; each answers one request, and lends its place while it waits for long. More
# compete for the GIL: 6 threads answer a tenth fewer cache misses than 4, and 12 a quarter fewer.
THREADS = 4
# Seconds to finish running responses when the server stops; then worker processes are killed.
STOP_TIMEOUT = 20


class Command(BaseCommand):
    help = "Serve the pages, the API and the admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address (default: 127.0.0.1)")
        parser.add_argument(
            "--port",
            type=arguments.port,
            default=os.environ.get("PORT", "8000"),
            help="port (default: $PORT or 8000)",
        )
        parser.add_argument(
            "--processes",
            type=arguments.count,
            default=PROCESSES,
            help="web processes (default: one for each usable processor)",
        )
        parser.add_argument(
            "--threads",
            type=arguments.count,
            default=THREADS,
            help="threads per process (default: 4)",
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        with folder.shared():  # before the checks import the URLs, and with them prometheus_client
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        serve(
            "airsense.wsgi:application",
            options["port"],
            address=options["host"],
            workers=options["processes"],
            blocking_threads=options["threads"],
            respawn_failed_workers=True,
        )


def serve(application: str, port: int, **options: Any) -> None:
    """Serve a WSGI application with the platform's options; `options` override Granian's."""
    from airsense.edge import worker  # it can be imported only after Django is set up

    _raise_file_limit()
    worker.end_forks_by_signals()
    gc.collect()
    gc.freeze()  # or a collection in a worker would copy the memory that it shares
    defaults = {"workers": PROCESSES, "blocking_threads": THREADS}
    defaults["workers_kill_timeout"] = STOP_TIMEOUT
    Granian(
        application,
        port=port,
        interface=Interfaces.WSGI,  # only sets how Granian counts threads: worker.run uses ASGI
        runtime_mode=RuntimeModes.st,  # 5 % more cached responses per second than `mt`
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=settings.HEADERS_TIMEOUT * 1_000),
        websockets=False,
        backlog=BACKLOG,
        backpressure=BACKLOG,
        log_dictconfig={"incremental": True, "handlers": {}, "loggers": {}},  # keep LOGGING
        **(defaults | options),
    ).serve(spawn_target=worker.run)


def _raise_file_limit() -> None:
    """Allow 2 * BACKLOG open files: each connection is one, and the usual limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = 2 * BACKLOG if hard == resource.RLIM_INFINITY else min(2 * BACKLOG, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
