"""`manage.py transfer`: copy tables from the warehouse and publish them."""

import time
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from rich.console import Console

from flights import tables
from flights.errors import BadQuery
from flights.mirror import MirroredTable
from transfers import services, tasks
from transfers.exceptions import AlreadyRunning, TransferError
from transfers.models import Transfer
from transfers.run import runner
from transfers.run.preview import preview
from transfers.terminal import following, outcome
from transfers.warehouses import connect

NOT_DONE = (Transfer.Status.FAILED, Transfer.Status.CANCELLED)


class Command(BaseCommand):
    help = (
        "Copy tables from the warehouse into PostgreSQL, prove each copy equal to its source, and"
        " publish them together. Tables whose source is unchanged are skipped."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("table", nargs="*", help=f"one of {', '.join(tables.NAMES)}")
        parser.add_argument("--all", action="store_true", help="every table")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="say how columns and rows differ from what is published; write nothing",
        )
        parser.add_argument("--force", action="store_true", help="also when unchanged")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            models = tables.TABLES if options["all"] else tables.by_names(options["table"])
            if options["dry_run"]:
                return self.preview(models)
            asked = services.ask(models, asked_by="command", forced=options["force"])
            with following(asked, Console(stderr=True)):
                self.run(asked)
        except BadQuery as error:
            raise CommandError(str(error)) from None
        except TransferError as error:
            raise CommandError(error.full_message) from None
        ended = list(_rows(asked))
        for transfer in ended:
            self.stdout.write(outcome(transfer))
        if failed := [transfer.table for transfer in ended if transfer.status in NOT_DONE]:
            raise CommandError(f"Not transferred: {', '.join(failed)}")

    def preview(self, models: list[type[MirroredTable]]) -> None:
        """CommandError where a transfer would be refused."""
        found = [preview(model, connect(settings.WAREHOUSE_URL)) for model in models]
        for one in found:
            self.stdout.write("\n".join(one.lines()))
        if refused := [one.table for one in found if one.refused]:
            raise CommandError(f"A transfer of {', '.join(refused)} would be refused.")

    def run(self, asked: list[Transfer]) -> None:
        """Run the transfers when it is their turn, and wait for those that others run."""
        self.said = ""
        while True:
            try:
                runner.run(asked)
            except AlreadyRunning as busy:
                self.say(str(busy))
            else:
                others = [str(t) for t in _rows(asked) if t.active]
                if not others:
                    return
                self.say(f"Another process runs {', '.join(others)}. This waits for the end.")
            time.sleep(tasks.WAIT)
            services.reap()

    def say(self, text: str) -> None:
        """On standard error, and once."""
        if text != self.said:
            self.stderr.write(text)
            self.said = text


def _rows(transfers: list[Transfer]) -> "QuerySet[Transfer]":
    return Transfer.objects.filter(pk__in=[t.pk for t in transfers]).order_by("pk")
