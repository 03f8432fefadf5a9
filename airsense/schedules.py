"""Scheduled tasks: the platform's housekeeping, and the schedules of administrators.

`manage.py setup` creates the housekeeping schedules; the admin shows them read-only. Administrators
own all other schedules. A release adds one by a data migration (transfers/migrations/0010_...),
which runs once and so never undoes what administrators change or delete.
"""

import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from celery import current_app
from celery.schedules import schedule
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from flights import tables
from transfers.alerts import outbox
from transfers.download import months
from transfers.exceptions import TransferError
from transfers.warehouse_jobs import stored_files

log = logging.getLogger(__name__)

# Name of the schedule: its task, and the seconds between two runs. Each task has one schedule.
HOUSEKEEPING = {
    "give up transfers and jobs whose worker is gone": ("transfers.tasks.reap", 10),
    "see which tables are fresh and which exports failed": (
        "transfers.tasks.look_at_freshness",
        60,
    ),
    "deliver the alerts that wait": ("transfers.tasks.deliver_alerts", 15),
    "sweep the exports": ("flights.tasks.sweep_exports", 10),
    "remove files without an export": ("flights.tasks.remove_orphans", 3600),
    "note when keys of the API were used": ("airsense.tasks.note_uses_of_keys", 60),
    "forget sessions that ended, old logs and lost uploads": ("airsense.tasks.forget", 3600),
}


class WrongArguments(ValueError):
    """A task cannot run with these arguments; the message names the valid ones."""


def _check_table_names(arguments: Any) -> None:
    names = arguments if isinstance(arguments, list) else [None]
    if unknown := [name for name in names if name not in tables.NAMES]:
        wrong = ", ".join(json.dumps(name) for name in unknown)[:200]
        raise WrongArguments(
            f"Not a list of tables: {wrong}. Use names of {json.dumps(tables.NAMES)}, or [] for all"
            " tables."
        )


def _check_none(arguments: Any) -> None:
    if arguments != []:
        raise WrongArguments("The task has no arguments. Use [].")


def _check_files(arguments: Any) -> None:
    stored_files.read(_texts(arguments))


def _check_months(arguments: Any) -> None:
    months.parse(_texts(arguments))


def _texts(arguments: Any) -> list[str]:
    if not isinstance(arguments, list) or not all(isinstance(text, str) for text in arguments):
        raise WrongArguments(f"Not a list of texts: {json.dumps(arguments)[:200]}.")
    return arguments


# The tasks that administrators may schedule, and the check of their arguments.
SCHEDULABLE: dict[str, Callable[[Any], None]] = {
    "transfers.tasks.transfer_tables": _check_table_names,
    "transfers.tasks.build_tables": _check_none,
    "transfers.tasks.ingest_folder": _check_files,
    "transfers.tasks.publish_months": _check_months,
}
TASKS = [*SCHEDULABLE, *(task for task, _ in HOUSEKEEPING.values())]


def check(row: PeriodicTask) -> None:
    """Raise ValueError, with a message for administrators, if a schedule cannot run."""
    if row.task not in TASKS:
        raise ValueError(
            f"{row.task!r} cannot be scheduled. Choose one of: {', '.join(SCHEDULABLE)}."
        )
    if row.task in SCHEDULABLE:
        _check_arguments(row)
    if _json(row.kwargs or "{}"):
        raise WrongArguments("Keyword arguments are not supported.")
    try:
        row.schedule.remaining_estimate(row.schedule.now())
    except Exception as error:  # each type of schedule raises its own exceptions
        raise ValueError(f"The next run cannot be computed: {error}") from error


def problem(row: PeriodicTask) -> str:
    """Why a schedule cannot run; empty if it can."""
    try:
        check(row)
    except ValueError as error:
        return str(error)
    return ""


def send(row: PeriodicTask) -> None:
    """Queue the schedule's task once, as beat does."""
    headers = {"periodic_task_name": row.name}
    current_app.send_task(row.task, _json(row.args or "[]"), headers=headers)


def _check_arguments(row: PeriodicTask) -> None:
    try:
        SCHEDULABLE[row.task](_json(row.args or "[]"))
    except TransferError as error:
        raise WrongArguments(error.full_message) from None


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise WrongArguments(f"Not JSON: {text[:200]}") from None


def prepare() -> None:
    """Create or reset the housekeeping schedules; delete those with names of older releases."""
    for name, (task, seconds) in HOUSEKEEPING.items():
        every = IntervalSchedule.from_schedule(schedule(seconds))
        every.save()
        PeriodicTask.objects.update_or_create(
            name=name,
            defaults={
                **dict.fromkeys(("crontab", "solar", "clocked", "start_time", "expires")),
                **{"task": task, "interval": every, "enabled": True, "one_off": False},
                "description": "The platform needs this task, so it cannot be changed here.",
                **{"args": "[]", "kwargs": "{}", "queue": None, "priority": None},
                # While no worker runs, old runs expire instead of piling up in the queue.
                "expire_seconds": max(seconds, 10),
            },
        )
    tasks = [task for task, _ in HOUSEKEEPING.values()]
    PeriodicTask.objects.filter(task__in=tasks).exclude(name__in=HOUSEKEEPING).delete()


class Entry(ModelEntry):
    """A schedule whose last run is never in the future.

    A machine whose clock was ahead may have stored such a time; the next run would wait for it.
    """

    last_run_at: datetime

    def __init__(self, model: PeriodicTask, app: Any = None) -> None:
        super().__init__(model, app=app)
        self.last_run_at = min(self.last_run_at, self._default_now())


class Scheduler(DatabaseScheduler):
    """django-celery-beat's scheduler; skips schedules that cannot run and opens an alert."""

    Entry = Entry

    def enabled_models(self) -> list[PeriodicTask]:
        return [row for row in super().enabled_models() if self._can_run(row)]

    def _can_run(self, row: PeriodicTask) -> bool:
        try:
            check(row)
        except ValueError as error:
            log.error("skipped the schedule %r: %s", row.name, error)
            outbox.schedule_failed(row.name, error)
            return False
        return True
