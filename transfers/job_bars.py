"""Show a job in a terminal: for each of its steps a bar with amount, rate and remaining time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from rich.console import Console
from rich.progress import Progress, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from . import bars
from .models import Transfer, WarehouseJob
from .terminal import REFRESH_SECONDS

DECIMALS = {"rows": 0, "MiB": 1}


class Amount(TextColumn):
    """A column with the finished amount and the total: "12.3 of 27.1 MiB"."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        if not (unit := task.fields["unit"]):
            return Text()
        total = f" of {_number(task.total, unit)}" if task.total else ""
        return Text(f"{_number(task.completed, unit)}{total} {unit}")


class Speed(TextColumn):
    """A column with the rate: "3.4 MiB/s"."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        unit, rate = task.fields["unit"], task.fields["rate"] or task.speed
        return Text(f"{_number(rate, unit)} {unit}/s" if unit and rate else "")


class Bars:
    """The bars of one job."""

    def __init__(self, job: WarehouseJob, display: Progress) -> None:
        self._pk, self._display = job.pk, display
        self._tasks: dict[str, TaskID] = {}

    def update(self) -> bool:
        """Show the job's state in the database; return False once it has ended."""
        job = WarehouseJob.objects.get(pk=self._pk)
        for step in job.steps:
            self._show(step["name"], done=1.0 if step.get("ended_at") else 0.0)
        if running := job.progress:
            self._show(**running)
        for transfer in Transfer.objects.filter(asked_by=f"job {self._pk}", rows_total__gt=0):
            total = transfer.rows_total or 0
            rate = transfer.rows_per_second
            self._show(f"transfer {transfer.table}", transfer.rows_done, total, "rows", rate)
        return job.active

    def _show(
        self,
        name: str,
        done: float,
        total: float | None = None,
        unit: str = "",
        rate: float | None = None,
    ) -> None:
        """Show a bar; without a unit, one that only says whether the step has ended."""
        if name not in self._tasks:
            self._tasks[name] = self._display.add_task(name, total=None, unit=unit, rate=rate)
        total = total if unit else done or None
        self._display.update(self._tasks[name], completed=done, total=total, rate=rate)


@contextmanager
def following(job: WarehouseJob, console: Console) -> Iterator[None]:
    """Show the bars from another thread while the block runs the job; none without a terminal."""
    stop = threading.Event()
    thread = threading.Thread(target=_follow, args=(job, console, stop), name="progress")
    if console.is_terminal:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if console.is_terminal:
            thread.join()


def _follow(job: WarehouseJob, console: Console, stop: threading.Event) -> None:
    columns = (Amount(), Speed(), TimeRemainingColumn())
    try:
        with bars.display(console, "{task.description}", *columns) as display:
            job_bars = Bars(job, display)
            while job_bars.update() and not stop.wait(REFRESH_SECONDS):
                pass
    finally:
        connection.close()


def _number(amount: float | None, unit: str) -> str:
    return f"{amount or 0:,.{DECIMALS[unit]}f}"
