"""Scheduled tasks: the platform's housekeeping, and the schedules of administrators.

`manage.py setup` creates the housekeeping schedules; the admin shows them read-only. Administrators
own all other schedules. A release adds one by a data migration (transfers/migrations/0010_...),
which runs once and so never undoes what administrators change or delete.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from celery.schedules import schedule
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from flights import tables
from transfers.alerts import outbox
from transfers.download import months
from transfers.exceptions import TransferError
from transfers.warehouse_jobs import MODES, stored_folder

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


def _check_folder(arguments: Any) -> None:
    """Check the name of a folder, and whether to keep the existing records."""
    texts = _texts(arguments)
    if not 1 <= len(texts) <= 2 or texts[1:2] not in ([], *([mode] for mode in MODES)):
        modes = json.dumps(list(MODES))
        raise WrongArguments(f'Use ["FOLDER"] or ["FOLDER", "MODE"], with a mode of {modes}.')
    stored_folder.check(texts[0])


def _check_months(arguments: Any) -> None:
    months.parse(_texts(arguments))


def _texts(arguments: Any) -> list[str]:
    if not isinstance(arguments, list) or not all(isinstance(text, str) for text in arguments):
        raise WrongArguments(f"Not a list of texts: {json.dumps(arguments)[:200]}.")
    return arguments


@dataclass(frozen=True)
class Schedulable:
    """A task that administrators may schedule."""

    what: str  # it does
    arguments: str  # that it takes
    check: Callable[[Any], None]  # raises WrongArguments or TransferError


SCHEDULABLE = {
    "transfers.tasks.transfer_tables": Schedulable(
        "transfer tables",
        f"[] for all tables, or a list of {json.dumps(tables.NAMES)}",
        _check_table_names,
    ),
    "transfers.tasks.build_tables": Schedulable("build the final tables", "[]", _check_none),
    "transfers.tasks.ingest_folder": Schedulable(
        "ingest the new files of a folder",
        f'["FOLDER"] in INGEST_FOLDER, or ["FOLDER", "MODE"] with a mode of {json.dumps([*MODES])}',
        _check_folder,
    ),
    "transfers.tasks.publish_months": Schedulable(
        "download and publish months",
        '[] for those of the last year that are new, or a list such as ["2024-01..2024-12"]',
        _check_months,
    ),
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


def _check_arguments(row: PeriodicTask) -> None:
    try:
        SCHEDULABLE[row.task].check(_json(row.args or "[]"))
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


class Scheduler(DatabaseScheduler):
    """django-celery-beat's scheduler; skips schedules that cannot run and raises an alert."""

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
