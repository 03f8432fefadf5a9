"""`manage.py restore`: restore a backup into an empty database and data folder."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from rich.console import Console

from airsense import new_database
from airsense.backup import BackupError, restoration


class Command(BaseCommand):
    help = (
        "Restore a backup into an empty database and data folder, and verify each table. If it is"
        " interrupted, run it again. Restore only backups that you made: they can contain any SQL."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the folder that manage.py backup created")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        console = Console(stderr=True)
        try:
            new_database.create_if_missing()
            restoration.restore(options["folder"], console, self.stdout.write)
        except BackupError as error:
            raise CommandError(str(error)) from None
        except OperationalError as error:
            raise CommandError(f"PostgreSQL does not answer: {error}".strip()) from None
        self.stdout.write(self.style.SUCCESS(f"Restored in {time.monotonic() - began:.1f} s."))
