"""`manage.py cancel`: cancel queued and running transfers."""

from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from flights import tables
from flights.errors import BadQuery
from transfers import services
from transfers.models import Transfer


class Command(BaseCommand):
    help = "Cancel queued and running transfers of tables. Published versions do not change."
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("table", nargs="+", help=f"table to cancel: {', '.join(tables.NAMES)}")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            names = [model._meta.db_table for model in tables.by_names(options["table"])]
        except BadQuery as error:
            raise CommandError(str(error)) from None
        active = Transfer.objects.filter(table__in=names, status__in=Transfer.ACTIVE)
        cancelled = [t for t in active.order_by("pk") if services.cancel(t, by="command")]
        for transfer in cancelled:
            self.stdout.write(f"cancelled {transfer}")
        if not cancelled:
            self.stdout.write(f"No transfer of {', '.join(names)} is queued or running.")
