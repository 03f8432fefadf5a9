"""`manage.py rollback`: publish an earlier version of a table again."""

from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from flights import tables
from flights.errors import BadQuery
from transfers import services
from transfers.exceptions import TransferError


class Command(BaseCommand):
    help = (
        "Publish an earlier version of a table again. This copies no rows and takes effect at once."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("table", help=f"table to roll back: {', '.join(tables.NAMES)}")
        parser.add_argument(
            "version",
            nargs="?",
            type=int,
            help="number of the version (default: the one before the current version)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            (model,) = tables.by_names([options["table"]])
            version = services.roll_back(model, options["version"], by="command")
        except BadQuery as error:
            raise CommandError(str(error)) from None
        except TransferError as error:
            raise CommandError(error.full_message) from None
        self.stdout.write(f"{version.table}: version {version.number}, {version.rows:,} rows")
