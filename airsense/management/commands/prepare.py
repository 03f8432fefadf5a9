"""`manage.py prepare`: publish all tables; `manage.py run` repeats it until it succeeds."""

import signal
import time
from collections.abc import Callable
from typing import Any, NoReturn

from django.conf import settings
from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from transfers import warehouses
from transfers.exceptions import TransferError
from transfers.ingest.raw_table import RAW


class Command(BaseCommand):
    help = (
        "Ingest the demo flights if the warehouse has no records, build the tables in the"
        " warehouse, set up the database and transfer the tables. Skips steps that are done"
        " already."
    )
    requires_system_checks = [Tags.models]

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _interrupt)  # so that progress bars restore the cursor
        try:
            try:
                self.step("Flight records", self.ingest)
                self.step("Final tables in the warehouse", lambda: call_command("broker"))
            finally:  # also if the warehouse fails, because the web server needs the database
                self.step("Database", lambda: call_command("setup", stdout=self.stdout))
            self.step("Transfer to PostgreSQL", lambda: call_command("transfer", all=True))
        except TransferError as error:
            raise CommandError(error.full_message) from None
        except (DatabaseError, OSError) as error:
            raise CommandError(f"{type(error).__name__}: {error}".strip()) from error
        except KeyboardInterrupt:
            raise CommandError("stopped") from None

    def step(self, name: str, work: Callable[[], object]) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(name))
        started_at = time.monotonic()
        work()
        self.stdout.write(f"  {time.monotonic() - started_at:.1f} s")

    def ingest(self) -> None:
        if RAW in warehouses.connect(settings.WAREHOUSE_URL).tables():
            self.stdout.write("  The warehouse already has flight records.")
        else:
            call_command("ingest", demo=True)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
