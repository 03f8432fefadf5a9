"""`manage.py ingest`: put raw flight records into the warehouse."""

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from transfers import demo, disk_errors, warehouses
from transfers.exceptions import TransferError
from transfers.ingest import raw_table
from transfers.terminal import Rate

COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    TaskProgressColumn(),
    TextColumn("{task.completed:,.0f} rows"),
    Rate(),
)


class Command(BaseCommand):
    help = (
        "Put raw flight records into the warehouse. If any file has an error, none is ingested."
        " Files whose content has already been ingested are skipped."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            nargs="*",
            type=Path,
            help="CSV file (.csv, .gz or .zip) or Parquet file (.parquet)",
        )
        parser.add_argument(
            "--demo",
            action="store_true",
            help="ingest the demo data, too: all flights that left New York in 2013",
        )
        modes = parser.add_mutually_exclusive_group()
        modes.add_argument("--append", action="store_true", help="keep existing records")
        modes.add_argument("--replace", action="store_true", help="delete existing records")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        mode: raw_table.Mode | None = None
        if options["append"] or options["replace"]:
            mode = "append" if options["append"] else "replace"
        try:
            with disk_errors.reported("The files cannot be ingested"):
                results = self.ingest(options["file"], options["demo"], mode)
        except TransferError as error:
            raise CommandError(error.full_message) from None
        for file in results:
            already = "" if file.new else ", already in the warehouse"
            self.stdout.write(f"{file.path.name}: {file.rows:,} records{already}")
            for warning in file.warnings:
                self.stdout.write(f"Warning: {warning}")
        seconds, rows = time.perf_counter() - started, sum(f.rows for f in results if f.new)
        rate = f" in {seconds:.1f} s, {rows / seconds:,.0f} records/s" if rows else ""
        self.stdout.write(f"{rows:,} records added{rate}")

    def ingest(
        self, paths: list[Path], with_demo: bool, mode: raw_table.Mode | None
    ) -> list[raw_table.Ingested]:
        """Ingest the files, with a progress bar for each if a person watches."""
        files = [*paths, demo.make(settings.HOME / "demo")] if with_demo else paths
        if not files:
            raise CommandError("Name at least one file, or use --demo.")
        warehouse = warehouses.connect(settings.WAREHOUSE_URL)
        console = Console(stderr=True)
        with Progress(
            *COLUMNS, console=console, transient=True, disable=not console.is_terminal
        ) as display:
            bars = {path: display.add_task(path.name) for path in files}

            def update(path: Path, rows: int, share: float) -> None:
                display.update(bars[path], completed=rows, total=rows / share)

            return raw_table.ingest(warehouse, files, mode, update)
