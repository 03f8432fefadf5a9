"""`manage.py worker`: run the tasks of the queue."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand

from airsense import arguments
from airsense.celery import app
from airsense.metrics import folder


class Command(BaseCommand):
    help = "Run queued tasks: transfers, warehouse jobs, exports and housekeeping."
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--concurrency", type=arguments.count, default=2, help="tasks at once (default: 2)"
        )
        parser.add_argument(
            "--metrics-port",
            type=arguments.port,
            help="serve metrics on this port (default: none)",
        )
        parser.add_argument(
            "--metrics-host",
            default="127.0.0.1",
            help="serve metrics on this address (default: 127.0.0.1)",
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        with folder.shared():  # before anything imports prometheus_client
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        if port := options["metrics_port"]:
            from airsense.metrics import server

            server.start(options["metrics_host"], port)
        isolated = ["--without-gossip", "--without-mingle"]  # no events between workers
        concurrency = f"--concurrency={options['concurrency']}"
        app.worker_main([*quiet(), "worker", "--loglevel=info", concurrency, *isolated])


def quiet() -> list[str]:
    """The option for JSON logs: without it Celery prints a banner."""
    return ["--quiet"] if settings.LOG_FORMAT == "json" else []
