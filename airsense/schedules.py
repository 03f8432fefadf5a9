"""What runs by the clock, and what may.

The platform needs its housekeeping, so `setup` makes it what this release says, and nobody changes
it in the admin. All other schedules belong to the administrators: a release adds one by a data
migration (transfers/migrations/0010_...), which runs once, so what they change or delete stays so.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

import orjson
from celery.schedules import schedule
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from flights import tables
from transfers.alerts import outbox

log = logging.getLogger(__name__)

# The name of each, its task, and the seconds between two runs. Each task has one schedule.
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
    """A task cannot run with these arguments; the message says which it takes."""


def _names_of_tables(arguments: Any) -> None:
    names = arguments if isinstance(arguments, list) else [None]
    if unknown := [name for name in names if name not in tables.NAMES]:
        wrong = ", ".join(json.dumps(name) for name in unknown)[:200]
        raise WrongArguments(
            f"Not a list of tables: {wrong}. Name any of {json.dumps(tables.NAMES)}, or [] for all."
        )


# What administrators may schedule, and what checks the arguments.
OFFERED: dict[str, Callable[[Any], None]] = {"transfers.tasks.transfer_tables": _names_of_tables}
TASKS = [*OFFERED, *(task for task, _ in HOUSEKEEPING.values())]


def check(row: PeriodicTask) -> None:
    """ValueError, with a sentence for people, where a schedule could not run."""
    if row.task not in TASKS:
        raise ValueError(f"{row.task!r} cannot be scheduled. Choose one of: {', '.join(OFFERED)}.")
    if row.task in OFFERED:
        OFFERED[row.task](_json(row.args or "[]"))
    if _json(row.kwargs or "{}"):
        raise WrongArguments("Keyword arguments are not possible.")
    try:
        row.schedule.remaining_estimate(row.schedule.now())
    except Exception as error:  # each kind of schedule fails in its own way
        raise ValueError(f"This time cannot be computed: {error}") from error


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise WrongArguments(f"Not JSON: {text[:200]}") from None


def prepare() -> None:
    """Make the housekeeping what this release says; a schedule with an older name goes."""
    for name, (task, seconds) in HOUSEKEEPING.items():
        every = IntervalSchedule.from_schedule(schedule(seconds))
        every.save()
        PeriodicTask.objects.update_or_create(
            name=name,
            defaults={
                **dict.fromkeys(("crontab", "solar", "clocked", "start_time", "expires")),
                **{"task": task, "interval": every, "enabled": True, "one_off": False},
                "description": "The platform needs it, so nobody can change it here.",
                **{"args": "[]", "kwargs": "{}", "queue": None, "priority": None},
                # Where workers are away, no heap of runs waits for them.
                "expire_seconds": max(seconds, 10),
            },
        )
    ours = [task for task, _ in HOUSEKEEPING.values()]
    PeriodicTask.objects.filter(task__in=ours).exclude(name__in=HOUSEKEEPING).delete()


class Scheduler(DatabaseScheduler):
    """Beat's schedules: one that cannot run is reported, and the others go on."""

    def enabled_models(self) -> list[PeriodicTask]:
        return [row for row in super().enabled_models() if self._runs(row)]

    def _runs(self, row: PeriodicTask) -> bool:
        try:
            check(row)
        except ValueError as error:
            log.error("the schedule %r does not run: %s", row.name, error)
            outbox.schedule_failed(row.name, error)
            return False
        return True
