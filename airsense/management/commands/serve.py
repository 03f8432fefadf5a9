"""`manage.py serve`: the web server."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from granian import Granian
from granian.constants import Interfaces

# 6,000 clients that connect at once wait in the queue instead of being refused.
BACKLOG = 8_192


class Command(BaseCommand):
    help = "Answer the public: pages, API and admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1")
        parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8000"))
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
        parser.add_argument("--threads", type=int, default=12, help="answers at once, a process")

    def handle(self, *args: Any, **options: Any) -> None:
        Granian(
            "airsense.wsgi:application",
            address=options["host"],
            port=options["port"],
            interface=Interfaces.WSGI,
            workers=options["processes"],
            blocking_threads=options["threads"],
            backlog=BACKLOG,
            backpressure=BACKLOG,
            respawn_failed_workers=True,
        ).serve()
