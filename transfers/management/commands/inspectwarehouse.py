"""`manage.py inspectwarehouse`: print a Django model for a table of the warehouse."""

from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from transfers import inspection, warehouses
from transfers.exceptions import TransferError


class Command(BaseCommand):
    help = (
        "Print a Django model for a table of the warehouse. Paste it into"
        " flights/models/mirrored/ and correct it there: the order of its rows is only a guess."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "table", help="name in the warehouse, also with schema and catalog: main.sales.orders"
        )
        parser.add_argument(
            "--unpinned",
            action="store_true",
            help="the table is a view, or has no versions for another reason",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            warehouse = warehouses.connect(settings.WAREHOUSE_URL)
            table, pinned = options["table"], not options["unpinned"]
            with warehouse.snapshot(table, pinned=pinned) as source:
                self.stdout.write(inspection.model(table, source, pinned=pinned), ending="")
        except TransferError as error:
            raise CommandError(error.full_message) from None
