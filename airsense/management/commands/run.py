"""`manage.py run`: run the whole platform on this machine, from the demo data to the web server.

Serving depends only on PostgreSQL. If the warehouse, the queue or a transfer fails, the failure is
reported and retried while the published versions are served.
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

from airsense import arguments, data_folder
from airsense.backup import BackupError, marker
from airsense.embedded import locks
from airsense.processes import Child, Processes
from flights.models import PublishedTable
from flights.tables import NAMES

EXAMPLE = (
    "api/dynamic_query?table_name=busiest_airports_by_delays"
    "&columns=City,Total_Avg_Delay&where=Total_Arrivals__gte:1000"
    "&order_by=Total_Avg_Delay&order_direction=DESC&limit=6"
)
SLOW_START = 60  # seconds until a web server that does not answer is reported; it needs 2
# Longest time, in seconds, to wait for up-to-date tables before the summary is printed.
FRESH_TIMEOUT = 20


class Command(BaseCommand):
    help = (
        "Set up the database, ingest the demo flights, build and transfer all tables, and serve"
        " them. Skips steps that are already done. Ctrl-C stops everything."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port",
            type=arguments.port,
            default=os.environ.get("PORT", "8000"),
            help="port of the web server (default: $PORT or 8000)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.started_at, self.port = time.monotonic(), options["port"]
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # also in a log
        for signum in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, _interrupt)
        with (
            _single_platform(),
            Processes(self.stdout.write) as processes,
            suppress(KeyboardInterrupt),
        ):
            self.run(processes)
        self.stdout.write("Stopped.")

    def run(self, processes: Processes) -> None:
        _check_port(self.port)
        _check_restore()
        # `prepare` begins with the warehouse, so this process sets up the database meanwhile.
        preparation = processes.start("prepare", job=True)
        self.set_up()
        processes.start("serve", f"--port={self.port}")
        processes.start("worker")
        processes.start("beat")
        self.wait(processes, preparation)
        self.report()
        processes.watch()

    def set_up(self) -> None:
        """Run `setup` before the web server, which needs the current database schema."""
        try:
            call_command("setup", stdout=self.stdout)
        except (CommandError, DatabaseError) as error:
            self.stdout.write(f"The database is not set up: {error}".strip())
            self.stdout.write("AirSense serves the published tables and retries the set-up.")
        finally:
            connection.close()

    def wait(self, processes: Processes, preparation: Child) -> None:
        """Wait until the web server answers, and up to FRESH_TIMEOUT for up-to-date tables."""
        report_at = self.started_at + SLOW_START
        while not (_answers(self.port, "healthz") and self.is_fresh(preparation)):
            processes.check()
            if time.monotonic() > report_at:
                self.stdout.write(f"The web server does not answer yet; see {processes.logs}.")
                report_at += SLOW_START
            time.sleep(0.05)

    def is_fresh(self, preparation: Child) -> bool:
        """Whether the tables are up to date, or the preparation has failed or takes too long."""
        if preparation.backoff.failures:
            return True
        late = time.monotonic() > self.started_at + FRESH_TIMEOUT
        return (preparation.done or late) and _answers(self.port, "readyz")

    def report(self) -> None:
        address = f"http://127.0.0.1:{self.port}/"
        seconds = time.monotonic() - self.started_at
        self.stdout.write(self.style.SUCCESS(f"AirSense is up after {seconds:.1f} s."))
        for line in _published():
            self.stdout.write(f"  {line}")
        self.stdout.write(f"  Home   {address}")
        self.stdout.write(f"  API    {address}{EXAMPLE}")
        password = data_folder.folder() / "admin_password"
        self.stdout.write(f"  Admin  {address}admin/  user admin, password in {password}")
        self.stdout.write("Press Ctrl-C to stop.")


def _published() -> Iterator[str]:
    """Yield a line about each table."""
    try:
        rows = PublishedTable.objects.select_related("current")
        versions = {published.table: published.current for published in rows}
    except DatabaseError as error:
        yield f"PostgreSQL does not answer: {error}".strip()
        return
    for name in sorted(NAMES):
        version = versions.get(name)
        yield (
            f"{name:28}{version.rows:>9,} rows  version {version.number}"
            if version
            else f"{name:28} is not published yet; its queries get a 503"
        )


@contextmanager
def _single_platform() -> Iterator[None]:
    """Allow one platform per data folder: two would run each schedule twice."""
    with locks.attempt(data_folder.folder() / "platform.lock") as lock:
        if not lock:
            raise CommandError(
                f"AirSense already runs with {data_folder.folder()}. Stop it, or set"
                " AIRSENSE_HOME to another folder to run a second one."
            )
        yield


def _check_restore() -> None:
    """Refuse to make a new platform if a restore was interrupted."""
    try:
        marker.refuse_new_platform()
    except BackupError as error:
        raise CommandError(str(error)) from None


def _check_port(port: int) -> None:
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
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
