"""`manage.py ingest`: put raw flight records into the warehouse."""

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import TaskProgressColumn, TextColumn

from transfers import bars, demo, disk_errors, warehouses
from transfers.exceptions import BadInput, TransferError
from transfers.ingest import mapping_file, plan, raw_table
from transfers.ingest.mapping_file import Sample
from transfers.ingest.plan import Plan
from transfers.terminal import Rate


class Command(BaseCommand):
    help = (
        "Put flight records into the warehouse. Recognizes the common forms of the records of the"
        " US Department of Transportation: its monthly files and web form, the Data Expo of 2009,"
        " Kaggle and others; docs/data-sources.md lists them. The command first"
        " reports how each column is filled. If any file has an error, none is ingested. Files"
        " whose content has already been ingested are skipped."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            nargs="*",
            type=Path,
            help="file with records (.csv, .gz, .zip or .parquet), or folder with such files",
        )
        parser.add_argument(
            "--demo",
            action="store_true",
            help="ingest the demo data, too: all flights that left New York in 2013",
        )
        parser.add_argument(
            "--explain",
            action="store_true",
            help="only report how the columns would be filled. For an unknown form, also write a"
            " mapping file, which you can edit and pass with --columns",
        )
        parser.add_argument(
            "--mapping",
            type=Path,
            metavar="FILE",
            help="where --explain writes the mapping file (default: NAME.mapping.toml in this"
            " folder); an existing file is not changed",
        )
        self.add_files(parser)
        modes = parser.add_mutually_exclusive_group()
        modes.add_argument("--append", action="store_true", help="keep existing records")
        modes.add_argument("--replace", action="store_true", help="delete existing records")
        modes.add_argument(
            "--replace-months",
            action="store_true",
            help="delete existing records of the months that the files contain",
        )
        parser.add_argument(
            "--repeated",
            choices=["keep", "refuse", "drop"],
            default="keep",
            help="what to do with repeated flights: same date, airline, flight number, airports and"
            " scheduled departure. They are always counted. drop: one of each is kept"
            " (default: keep)",
        )

    def add_files(self, parser: CommandParser) -> None:
        """Add the options for a mapping file and for lists of airlines and airports."""
        for option, content in {
            "--columns": "mapping file (TOML): which columns of the files fill which raw columns",
            "--airlines": "airlines by code, in the form of the DOT's lookup tables",
            "--airports": "airports by code, in the form of the DOT's lookup tables",
        }.items():
            parser.add_argument(option, type=Path, metavar="FILE", help=content)

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        try:
            with disk_errors.reported("The files cannot be ingested"):
                planned = self.explain(options)
                if options["explain"] or not planned:
                    return
                results = self.ingest(planned, _mode(options), options["repeated"])
        except TransferError as error:
            raise CommandError(error.full_message) from None
        self.report(results, time.perf_counter() - started)

    def explain(self, options: dict[str, Any]) -> Plan | None:
        """Recognize the forms of the files, and print what fills each column.

        With --explain, write a mapping file for an unknown form.
        """
        demo_files = [demo.make(settings.HOME / "demo")] if options["demo"] else []
        paths = [*options["file"], *demo_files]
        if not paths:
            raise CommandError("Name at least one file, or use --demo.")
        try:
            planned = plan.read(paths, options["columns"], options["airlines"], options["airports"])
        except plan.Unrecognized as error:
            if not (options["explain"] and error.can_be_mapped):
                raise
            self.stdout.write(str(error))
            self.stdout.write(_write_mapping(error, options["mapping"]))
            return None
        self.stdout.write("\n".join(planned.lines()))
        return planned

    def ingest(
        self, planned: Plan, mode: raw_table.Mode | None, repeated: raw_table.Treatment
    ) -> list[raw_table.Ingested]:
        """Ingest the files, with a progress bar for each if the output is a terminal."""
        warehouse = warehouses.connect(settings.WAREHOUSE_URL)
        console = Console(stderr=True)
        columns = (TaskProgressColumn(), TextColumn("{task.completed:,.0f} rows"), Rate())
        with bars.display(console, "{task.description}", *columns) as display:
            tasks = {path: display.add_task(path.name) for path in planned.files}

            def update(path: Path, rows: int, share: float) -> None:
                display.update(tasks[path], completed=rows, total=rows / share)

            return raw_table.ingest(warehouse, planned, mode, update, repeated)

    def report(self, results: list[raw_table.Ingested], seconds: float) -> None:
        """Print how many records of each file were added, and warnings."""
        for file in results:
            already = "" if file.new else ", already in the warehouse"
            self.stdout.write(f"{file.path.name}: {file.rows:,} records{already}")
            for warning in file.warnings:
                self.stdout.write(f"Warning: {warning}")
        rows = sum(file.rows for file in results if file.new)
        rate = f" in {seconds:.1f} s, {rows / seconds:,.0f} records/s" if rows else ""
        self.stdout.write(f"{rows:,} records added{rate}")


def _mode(options: dict[str, Any]) -> raw_table.Mode | None:
    modes: dict[str, raw_table.Mode] = {
        "append": "append",
        "replace": "replace",
        "replace_months": "months",
    }
    return next((mode for option, mode in modes.items() if options[option]), None)


def _write_mapping(error: plan.Unrecognized, path: Path | None) -> str:
    """Write a mapping file for a file of an unknown form; return a sentence about it."""
    name = Path(error.part.member or error.part.path).name
    path = path or Path(f"{name}.mapping.toml")
    content = mapping_file.text(Sample.of(error.lines), str(error.part.path), str(path))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        advice = "Name another file by --mapping FILE, or remove it."
        raise BadInput("exists already.", file=str(path), advice=advice) from None
    return f"{path} is written. Edit it, and pass it with --columns."
