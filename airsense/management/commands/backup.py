"""`manage.py backup`: back up everything that cannot be made again."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from airsense.backup import BackupError, creation


class Command(BaseCommand):
    help = (
        "Back up the database, the embedded warehouse and the generated secrets into a new folder,"
        " while the platform runs. The folder contains secrets: only its owner can read it."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the folder to create")
        parser.add_argument(
            "--without-secrets",
            action="store_true",
            help="leave out the generated secrets; after a restore, everybody has to sign in again",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        began, folder = time.monotonic(), options["folder"]
        secrets = not options["without_secrets"]
        try:
            content = creation.create(folder, Console(stderr=True), secrets=secrets)
        except BackupError as error:
            raise CommandError(str(error)) from None
        size = sum(path.stat().st_size for path in folder.rglob("*"))
        self.stdout.write(
            f"{folder}: {len(content.versions)} versions of {len(content.published)} tables,"
            f" {content.rows:,} rows, {size:,} bytes in {time.monotonic() - began:.1f} s"
        )
