"""`manage.py worker`: run the tasks of the queue."""

from argparse import ArgumentParser
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand

from airsense.celery import app


class Command(BaseCommand):
    help = "Run queued tasks: transfers, warehouse jobs, exports and housekeeping."
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2, help="tasks at once (default: 2)")

    def handle(self, *args: Any, **options: Any) -> None:
        isolated = ["--without-gossip", "--without-mingle"]  # workers need no news of each other
        concurrency = f"--concurrency={options['concurrency']}"
        app.worker_main(["worker", "--loglevel=info", concurrency, *isolated])
