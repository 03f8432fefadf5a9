"""Show transfers in a terminal: rows, rate and remaining time, and finally the result."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from rich.console import Console
from rich.progress import Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from flights.quality import BLOCK

from . import bars
from .models import Transfer
from .quality.results import example

REFRESH_SECONDS = 0.2  # between two queries


class Rate(TextColumn):
    """A column of the progress bar with the rows per second."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} rows/s" if task.speed else "")


class Amount(TextColumn):
    """A column with the rows while they are copied, and with the phase before and after."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        phase = task.fields["phase"]
        total = f" of {task.total:,.0f}" if task.total else ""
        return Text(f"{task.completed:,.0f}{total} rows" if phase == "copying" else phase)


def follow(transfers: list[Transfer], console: Console, stop: threading.Event) -> None:
    """Show progress bars until all transfers have ended or `stop` is set."""
    with bars.display(
        console, "{task.description}", Amount(), Rate(), TimeRemainingColumn()
    ) as display:
        tasks = {t.pk: display.add_task(t.table, total=0, phase=t.status) for t in transfers}
        while True:
            current = Transfer.objects.filter(pk__in=tasks)
            for transfer in current:
                display.update(
                    tasks[transfer.pk],
                    completed=transfer.rows_done,
                    total=transfer.rows_total or 0,
                    phase=transfer.phase or transfer.status,
                )
            if not any(t.active for t in current) or stop.wait(REFRESH_SECONDS):
                return


@contextmanager
def following(transfers: list[Transfer], console: Console) -> Iterator[None]:
    """Show progress bars from another thread while the block runs the transfers."""
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
    """Return ", N rows/s, N bytes/s", or an empty text for a transfer without rows."""
    rows, size = transfer.rows_per_second, transfer.bytes_per_second
    return f", {rows:,} rows/s, {size:,} bytes/s" if rows and size else ""


def outcome(transfer: Transfer) -> str:
    """Return one line of text about the result of a transfer."""
    match transfer.status:
        case Transfer.Status.SUCCEEDED:
            assert transfer.version
            done, total = transfer.rows_done, transfer.version.rows
            rows = f"{total:,} rows" if done == total else f"{done:,} of {total:,} rows"
            return f"{transfer.version}: {rows} in {transfer.worked:.1f} s{rates(transfer)}"
        case Transfer.Status.UNCHANGED:
            return f"{transfer.table}: unchanged in the warehouse"
    return f"{transfer.table}: {transfer.status}. {transfer.error} {transfer.advice}".strip()


def checks(transfer: Transfer) -> Iterator[str]:
    """Yield lines about the quality checks: their number, and each that failed.

    The first rows that break a check are shown if it blocks the publication.
    """
    yield from check_lines(transfer.checks or [])
    if override := transfer.used_override:
        yield f"  published despite failed checks by {override['by']}: {override['reason']}"


def check_lines(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield lines about results of checks, as `checks` does."""
    numbers = Counter(result["status"] for result in results)
    if results:
        yield "  checks: " + ", ".join(f"{number} {status}" for status, number in numbers.items())
    for result in results:
        if result["status"] == "failed":
            yield f"  {result['severity']}: {result['check']}: {result['finding']}"
            if result["severity"] == BLOCK:
                yield from (f"    {example(result['columns'], row)}" for row in result["examples"])
