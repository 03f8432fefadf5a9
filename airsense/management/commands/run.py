"""`manage.py run`: the whole platform on this machine, from flight records to answered queries.

Serving depends on nothing but PostgreSQL. Whatever fails in the warehouse, the queue or a transfer
is reported and tried again while the published versions are served.
"""

import os
import signal
import socket
import sys
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from airsense import data_folder
from airsense.embedded import locks
from airsense.processes import Child, Processes
from flights.models import PublishedTable
from flights.tables import NAMES

EXAMPLE = (
    "api/dynamic_query?table_name=busiest_airports_by_delays"
    "&columns=City,Total_Avg_Delay&where=Total_Arrivals__gte:1000"
    "&order_by=Total_Avg_Delay&order_direction=DESC&limit=6"
)
READY_WITHIN = 60  # seconds; two web processes need 2
# Seconds that the report of what is served waits for the tables to be brought up to date.
FRESH_WITHIN = 20


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
        with _alone(), Processes(self.stdout.write) as processes, suppress(KeyboardInterrupt):
            self.run(processes)
        self.stdout.write("Stopped.")

    def run(self, processes: Processes) -> None:
        _free(self.port)
        self.set_up()
        processes.start("worker")
        processes.start("serve", f"--port={self.port}")
        preparation = processes.start("prepare", job=True)
        processes.start("beat")
        self.wait(processes, preparation)
        self.report()
        processes.watch()

    def set_up(self) -> None:
        """Before the web server starts, so that it finds the database as its code needs it."""
        try:
            call_command("setup", stdout=self.stdout)
        except (CommandError, DatabaseError) as error:
            self.stdout.write(f"The database is not set up: {error}".strip())
            self.stdout.write("AirSense serves what is published, and tries this again.")
        finally:
            connection.close()

    def wait(self, processes: Processes, preparation: Child) -> None:
        """Until the web server answers, and for a while until the tables are up to date."""
        late = self.began + READY_WITHIN
        while not (_answers(self.port, "healthz") and self.is_fresh(preparation)):
            processes.check()
            if time.monotonic() > late:
                self.stdout.write(f"The web server does not answer yet; see {processes.logs}.")
                late += READY_WITHIN
            time.sleep(0.05)

    def is_fresh(self, preparation: Child) -> bool:
        """Whether the tables are up to date, or waiting for that makes no sense any more."""
        if preparation.patience.failures:
            return True
        late = time.monotonic() > self.began + FRESH_WITHIN
        return (preparation.done or late) and _answers(self.port, "readyz")

    def report(self) -> None:
        address = f"http://127.0.0.1:{self.port}/"
        self.stdout.write(self.style.SUCCESS(f"AirSense is up after {self.seconds():.1f} s."))
        for line in _published():
            self.stdout.write(f"  {line}")
        self.stdout.write(f"  Home   {address}")
        self.stdout.write(f"  API    {address}{EXAMPLE}")
        password = data_folder.folder() / "admin_password"
        self.stdout.write(f"  Admin  {address}admin/  user admin, password in {password}")
        self.stdout.write("Ctrl-C stops everything.")

    def seconds(self) -> float:
        return time.monotonic() - self.began


def _published() -> Iterator[str]:
    """A line on each table."""
    try:
        rows = PublishedTable.objects.select_related("current")
        there = {published.table: published.current for published in rows}
    except DatabaseError as error:
        yield f"PostgreSQL does not answer: {error}".strip()
        return
    for name in sorted(NAMES):
        version = there.get(name)
        yield (
            f"{name:28}{version.rows:>9,} rows  version {version.number}"
            if version
            else f"{name:28} is not published yet: the API answers 503 and the reason"
        )


@contextmanager
def _alone() -> Iterator[None]:
    """One platform to a data folder: two would run each schedule twice."""
    with locks.attempt(data_folder.folder() / "platform.lock") as lock:
        if not lock:
            raise CommandError(
                f"AirSense already runs with {data_folder.folder()}. Stop it, or set"
                " AIRSENSE_HOME to another folder to run a second one."
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


def _answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
