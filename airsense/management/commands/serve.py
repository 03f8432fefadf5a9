"""`manage.py serve`: the web server."""

import os
import resource
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from granian import Granian
from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.http import HTTP1Settings

from airsense import cpus

# 6,000 clients that connect at once wait in the queue instead of being refused.
BACKLOG = 8_192
PROCESSES = cpus.usable()
# Each waits for one query or sends one file; more would take Python from each other: 12 answer a
# quarter less than 4.
THREADS = 6
# Seconds for answers that are being sent when the server stops. Without a limit a worker process
# that is told to stop while it starts never hears of it, and the server never ends.
STOPS_WITHIN = 20


class Command(BaseCommand):
    help = "Answer the public: pages, API and admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1")
        parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8000"))
        parser.add_argument(
            "--processes",
            type=int,
            default=PROCESSES,
            help="default: as many as processors it may use",
        )
        parser.add_argument(
            "--threads", type=int, default=THREADS, help="answers at once, a process"
        )

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
    """Serve an application as the platform is served; `options` are Granian's."""
    from airsense.edge import worker  # it needs all that Django is set up with

    _allow_files()
    shipped = {"workers": PROCESSES, "blocking_threads": THREADS}
    shipped["workers_kill_timeout"] = STOPS_WITHIN
    Granian(
        application,
        port=port,
        interface=Interfaces.WSGI,  # so Granian counts threads; the worker is the edge's
        runtime_mode=RuntimeModes.st,  # a twentieth more answers of the cache than by `mt`
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=settings.HEADERS_TIMEOUT * 1_000),
        websockets=False,
        backlog=BACKLOG,
        backpressure=BACKLOG,
        **(shipped | options),
    ).serve(spawn_target=worker.run)


def _allow_files() -> None:
    """Each connection is an open file, and a usual limit is 1,024 of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * BACKLOG if hard == resource.RLIM_INFINITY else min(2 * BACKLOG, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
