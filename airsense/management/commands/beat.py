"""`manage.py beat`: put the tasks of due schedules on the queue."""

from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand

from airsense.celery import app

from .worker import quiet


class Command(BaseCommand):
    help = "Queue the tasks of due schedules. Run exactly one beat and any number of workers."
    requires_system_checks = [Tags.models]

    def handle(self, *args: Any, **options: Any) -> None:
        app.start([*quiet(), "beat", "--loglevel=info", "--pidfile="])
