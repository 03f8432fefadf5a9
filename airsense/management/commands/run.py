"""`manage.py run`: the whole platform on this machine, from flight records to answered queries."""

import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from airsense import home
from airsense.embedded import locks
from airsense.processes import Processes
from flights.models import PublishedTable
from flights.tables import TABLES
from transfers import tasks, warehouses
from transfers.exceptions import TransferError
from transfers.ingest import RAW
from transfers.models import Transfer
from transfers.watching import follow, outcome

EXAMPLE = (
    "api/dynamic_query?table_name=busiest_airports_by_delays"
    "&columns=City,Total_Avg_Delay&where=Total_Arrivals__gte:1000"
    "&order_by=Total_Avg_Delay&order_direction=DESC&limit=6"
)
READY_WITHIN = 60  # seconds; two web processes need 2


class Command(BaseCommand):
    help = (
        "Set everything up, ingest the demo flights, build and transfer all tables, and serve them."
        " What stands already is not done again. Ctrl-C stops all of it."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8000"))

    def handle(self, *args: Any, **options: Any) -> None:
        self.began, self.port = time.monotonic(), options["port"]
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # also in a log
        for signum in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, _interrupt)
        try:
            with _alone(), Processes(self.stdout.write) as processes, suppress(KeyboardInterrupt):
                self.run(processes)
        except TransferError as error:
            raise CommandError(error.told) from None
        self.stdout.write("Stopped.")

    def run(self, processes: Processes) -> None:
        _free(self.port)
        self.step("Database", lambda: call_command("setup", stdout=self.stdout))
        processes.start("worker")  # while the data are prepared, both get ready
        processes.start("serve", f"--port={self.port}")
        self.step("Flight records", self.ingest)
        self.step("Final tables in the warehouse", lambda: call_command("broker"))
        self.step("Transfer to PostgreSQL, by a worker", self.transfer)
        processes.start("beat")
        self.step("Web server", lambda: self.ready(processes))
        self.report()
        processes.watch()

    def step(self, name: str, work: Callable[[], object]) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(name))
        began = time.monotonic()
        work()
        self.stdout.write(f"  {time.monotonic() - began:.1f} s")

    def ingest(self) -> None:
        if RAW in warehouses.connect(settings.WAREHOUSE_URL).tables():
            self.stdout.write("  there already")
        else:
            call_command("ingest", demo=True)

    def transfer(self) -> None:
        pks = tasks.start(TABLES, asked_by="make run")
        asked = Transfer.objects.filter(pk__in=pks).order_by("pk")
        follow(list(asked), Console(stderr=True), threading.Event())
        ended = list(asked.all())
        for transfer in ended:
            self.stdout.write(f"  {outcome(transfer)}")
        if any(t.status == Transfer.Status.FAILED for t in ended):
            raise CommandError("The transfer failed; its reason is above.")

    def ready(self, processes: Processes) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not _answers(self.port):
            processes.check()
            if time.monotonic() > deadline:
                raise CommandError(f"The web server does not answer; see {processes.logs}.")
            time.sleep(0.05)

    def report(self) -> None:
        address = f"http://127.0.0.1:{self.port}/"
        self.stdout.write(self.style.SUCCESS(f"AirSense is up after {self.seconds():.1f} s."))
        for published in PublishedTable.objects.select_related("current").order_by("pk"):
            version = published.current
            self.stdout.write(
                f"  {version.table:28}{version.rows:>9,} rows  version {version.number}"
            )
        self.stdout.write(f"  Home   {address}")
        self.stdout.write(f"  API    {address}{EXAMPLE}")
        self.stdout.write(
            f"  Admin  {address}admin/  user admin, password in {home.folder() / 'admin_password'}"
        )
        self.stdout.write("Ctrl-C stops everything.")

    def seconds(self) -> float:
        return time.monotonic() - self.began


@contextmanager
def _alone() -> Iterator[None]:
    """One platform to a data folder: two would run each schedule twice."""
    with locks.attempt(home.folder() / "platform.lock") as lock:
        if not lock:
            raise CommandError(
                f"AirSense already runs with {home.folder()}. Stop it, or set AIRSENSE_HOME to"
                " another folder to run a second one."
            )
        yield


def _free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise CommandError(
                f"Port {port} cannot be used: {error}. Choose another: make run PORT=8001"
            ) from None


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
