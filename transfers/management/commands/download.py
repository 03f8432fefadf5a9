"""`manage.py download`: fetch the DOT's monthly files of flight records."""

import time
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from transfers import bars, job_bars, warehouse_jobs
from transfers.download import months, store
from transfers.download.months import Month
from transfers.download.store import Download
from transfers.exceptions import NotPublished, TransferError
from transfers.models import WarehouseJob
from transfers.run import completion


class Command(BaseCommand):
    help = (
        "Download monthly files of flight records from the US Department of Transportation, check"
        " them and keep them in the data folder. A month that is stored already is downloaded only"
        " if the server has another release of it."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "month",
            nargs="*",
            help="2024-01, or 2024-01..2024-12; without it, the published months of the last year",
        )
        more = parser.add_mutually_exclusive_group()
        more.add_argument(
            "--force", action="store_true", help="download months even if nothing has changed"
        )
        more.add_argument(
            "--publish",
            action="store_true",
            help="also put the months into the warehouse, build the final tables and publish them",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["publish"]:
                return self.publish(options["month"])
            missing = self.download(options["month"], options["force"])
        except TransferError as error:
            raise CommandError(error.full_message) from None
        if missing and options["month"]:
            raise CommandError("\n".join(error.full_message for error in missing))

    def publish(self, names: list[str]) -> None:
        """Run a job that publishes the months, here or in a worker; show its progress and steps."""
        months.parse(names)
        job = warehouse_jobs.queue(WarehouseJob.Kind.PUBLISH, "command", arguments=names)
        try:
            with job_bars.following(job, Console(stderr=True)):
                _complete(job)
        except KeyboardInterrupt:
            job.refresh_from_db()
            warehouse_jobs.fail(job, TransferError("It was interrupted."))
            raise
        self.stdout.write("\n".join(job.lines))
        if job.error:
            raise CommandError(f"{job.error} {job.advice}".strip())

    def download(self, names: list[str], force: bool) -> list[NotPublished]:
        """Download the months one after the other; return the errors of unpublished months."""
        missing = []
        console = Console(stderr=True)
        columns = (DownloadColumn(binary_units=True), TransferSpeedColumn(), TimeRemainingColumn())
        with bars.display(console, "{task.description}", *columns) as display:
            for month in months.parse(names) or months.recent():
                try:
                    result = self.download_month(month, force, display)
                    self.stdout.write(f"{month}: {_outcome(result)}")
                except NotPublished as error:
                    missing.append(error)
        return missing

    def download_month(self, month: Month, force: bool, display: Progress) -> Download:
        """Download one month with a progress bar."""
        bar = display.add_task(str(month), total=None)

        def update(received: int, total: int | None) -> None:
            display.update(bar, completed=received, total=total)

        def wait() -> None:
            self.stderr.write("Another process is downloading. Waiting for it to end.")

        try:
            return store.download(month, update, force=force, wait=wait)
        finally:
            display.remove_task(bar)


def _complete(job: WarehouseJob) -> None:
    """Run queued jobs, or wait for a worker that runs them, until `job` has ended."""
    while job.active:
        warehouse_jobs.work()
        job.refresh_from_db()
        if job.active:
            time.sleep(completion.WAIT)
            warehouse_jobs.reap()


def _outcome(download: Download) -> str:
    release = download.release
    size = f"{release.rows:,} rows, {release.bytes / (1 << 20):,.1f} MiB"
    return f"{size}, downloaded to {store.path(release)}" if download.new else f"{size}, unchanged"
