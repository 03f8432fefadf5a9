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
        " neither the records nor the SQL have changed since the last build. Where possible, build"
        " only the months that changed."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="build all rows even if nothing has changed"
        )
        parser.add_argument(
            "--show",
            choices=sorted(broker.TABLES),
            metavar="TABLE",
            help="print the SQL that builds a table, and do nothing else",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["show"]:
            self.stdout.write(broker.sql(options["show"]))
            return
        try:
            with disk_errors.reported("The tables cannot be built"):
                warehouse = warehouses.connect(settings.WAREHOUSE_URL)
                built = broker.build(warehouse, force=options["force"])
        except TransferError as error:
            raise CommandError(error.full_message) from None
        for line in broker.lines(built):
            self.stdout.write(line)
