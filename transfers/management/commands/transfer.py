"""`manage.py transfer`: copy tables from the warehouse and publish them."""

import getpass
from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from rich.console import Console

from flights import tables
from flights.errors import BadQuery
from flights.mirror import MirroredTable
from transfers import services
from transfers.exceptions import ChecksFailed, TransferError
from transfers.models import Transfer
from transfers.run import completion
from transfers.run.preview import previews
from transfers.terminal import checks, following, outcome
from transfers.warehouses import connect

ANYWAY = "To publish in spite of the checks: manage.py transfer TABLE --despite-checks REASON"


class Command(BaseCommand):
    help = (
        "Copy tables from the warehouse to PostgreSQL, verify that each copy equals its source, and"
        " publish them together. Tables whose source has not changed are skipped."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "table", nargs="*", help=f"table to transfer: {', '.join(tables.NAMES)}"
        )
        parser.add_argument("--all", action="store_true", help="transfer all tables")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="show how columns and rows differ from the published version, and what the quality"
            " checks find; write nothing",
        )
        parser.add_argument(
            "--force", action="store_true", help="transfer tables even if nothing has changed"
        )

        parser.add_argument(
            "--despite-checks",
            metavar="REASON",
            type=_reason,
            help="publish even if quality checks fail; the reason is recorded with the version",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            models = tables.TABLES if options["all"] else tables.by_names(options["table"])
            if options["dry_run"]:
                return self.preview(models)
            transfers = self.queue(models, options["force"], options["despite_checks"])
            with following(transfers, Console(stderr=True)):
                self.run(transfers)
        except BadQuery as error:
            raise CommandError(str(error)) from None
        except TransferError as error:
            raise CommandError(error.full_message) from None
        ended = list(_rows(transfers))
        for transfer in ended:
            self.stdout.write("\n".join([outcome(transfer), *checks(transfer)]))
        if failed := [transfer.table for transfer in ended if transfer.unsuccessful]:
            raise CommandError(f"Not transferred: {', '.join(failed)}")

    def queue(
        self, models: list[type[MirroredTable]], forced: bool, reason: str | None
    ) -> list[Transfer]:
        override = services.override(_operator(), reason) if reason else None
        return services.queue(models, asked_by="command", forced=forced, override=override)

    def preview(self, models: list[type[MirroredTable]]) -> None:
        """Print what transfers would change; CommandError if one of them would be refused."""
        results = previews(models, connect(settings.WAREHOUSE_URL))
        for result in results:
            self.stdout.write("\n".join(result.lines()))
        if refused := [result.table for result in results if result.is_refused]:
            raise CommandError(f"A transfer of {', '.join(refused)} would be refused.")

    def run(self, transfers: list[Transfer]) -> None:
        """Run the transfers; report on standard error what they wait for."""
        self.last_message = ""
        try:
            completion.complete(transfers, self.report)
        except ChecksFailed:
            for transfer in _rows(transfers):
                self.stderr.write("\n".join([transfer.table, *checks(transfer)]))
            self.stderr.write(ANYWAY)
            raise

    def report(self, message: str) -> None:
        """Print a message on standard error, unless it was the last one."""
        if message != self.last_message:
            self.stderr.write(message)
            self.last_message = message


def _reason(text: str) -> str:
    if not text.strip():
        raise ArgumentTypeError("say why: the reason is recorded with the version")
    return text.strip()


def _operator() -> str:
    """The user who runs the command, as far as the system knows."""
    try:
        return f"{getpass.getuser()} (command)"
    except (KeyError, OSError):  # a container's user may have no name
        return "command"


def _rows(transfers: list[Transfer]) -> "QuerySet[Transfer]":
    return Transfer.objects.filter(pk__in=[t.pk for t in transfers]).order_by("pk")
