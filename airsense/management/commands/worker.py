"""`manage.py worker`: takes transfers from the queue."""

from argparse import ArgumentParser
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand

from airsense.celery import app


class Command(BaseCommand):
    help = "Run the transfers that people and the schedule ask for."
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2, help="transfers at once")

    def handle(self, *args: Any, **options: Any) -> None:
        alone = ["--without-gossip", "--without-mingle"]  # workers ask nothing of each other
        concurrency = f"--concurrency={options['concurrency']}"
        app.worker_main(["worker", "--loglevel=info", concurrency, *alone])
