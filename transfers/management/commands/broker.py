"""`manage.py broker`: build the final tables in the warehouse."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from transfers import broker, disk_errors, warehouses
from transfers.exceptions import TransferError


class Command(BaseCommand):
    help = (
        "Clean the raw flight records and build the final tables in the warehouse. Do nothing if"
        " neither the records nor the SQL have changed since the last build."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="build them even if nothing has changed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with disk_errors.reported("The tables cannot be built"):
                warehouse = warehouses.connect(settings.WAREHOUSE_URL)
                built = broker.build(warehouse, force=options["force"])
        except TransferError as error:
            raise CommandError(error.full_message) from None
        for table in built:
            self.stdout.write(f"{table.name}: {table.rows:,} rows in {table.seconds:.2f} s")
        if not built:
            self.stdout.write(
                "The tables are up to date: nothing has changed since the last build."
            )
