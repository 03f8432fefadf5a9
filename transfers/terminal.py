"""Transfers as a person at a terminal sees them: rows, rate and time left, then how they ended."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from rich.console import Console
from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from .models import Transfer

EVERY = 0.2  # seconds between two looks


class Rate(TextColumn):
    """Rows a second."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} rows/s" if task.speed else "")


def follow(transfers: list[Transfer], console: Console, stop: threading.Event) -> None:
    """Show transfers until all have ended or `stop` is set."""
    shown = TextColumn("{task.description} {task.fields[phase]}")
    counted = TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows")
    with Progress(
        shown,
        BarColumn(),
        counted,
        Rate(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bars:
        tasks = {t.pk: bars.add_task(t.table, total=0, phase=t.status) for t in transfers}
        while True:
            now = Transfer.objects.filter(pk__in=tasks)
            for transfer in now:
                bars.update(
                    tasks[transfer.pk],
                    completed=transfer.rows_done,
                    total=transfer.rows_total or 0,
                    phase=transfer.phase or transfer.status,
                )
            if not any(t.active for t in now) or stop.wait(EVERY):
                return


@contextmanager
def following(transfers: list[Transfer], console: Console) -> Iterator[None]:
    """Show transfers from another thread while the block runs them."""
    stop = threading.Event()

    def show() -> None:
        try:
            follow(transfers, console, stop)
        finally:
            connection.close()

    thread = threading.Thread(target=show, name="progress")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def rates(transfer: Transfer) -> str:
    """How fast its rows came, or nothing where none did."""
    rows, size = transfer.rows_per_second, transfer.bytes_per_second
    return f", {rows:,} rows/s, {size:,} bytes/s" if rows and size else ""


def outcome(transfer: Transfer) -> str:
    """One line on how a transfer ended."""
    match transfer.status:
        case Transfer.Status.SUCCEEDED:
            assert transfer.version
            read, rows = f"{transfer.rows_done:,}", f"{transfer.version.rows:,} rows"
            of = rows if transfer.rows_done == transfer.version.rows else f"{read} of {rows}"
            return f"{transfer.version}: {of} in {transfer.worked:.1f} s{rates(transfer)}"
        case Transfer.Status.UNCHANGED:
            return f"{transfer.table}: unchanged in the warehouse"
    return f"{transfer.table}: {transfer.status}. {transfer.error} {transfer.advice}".strip()
