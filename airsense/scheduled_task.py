"""The base class of every Celery task: raise an alert when a scheduled task fails.

Transfers and jobs record their outcome in a database row, but a scheduled task can fail before it
creates one. So its failure opens an alert, which its next success closes.
"""

from typing import Any

from celery import Task

from transfers.alerts import outbox


class AlertingTask(Task):
    """A task whose scheduled runs open and close alerts."""

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        if schedule := _schedule(self):
            outbox.schedule_succeeded(schedule)

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        if schedule := _schedule(self):
            outbox.schedule_failed(schedule, exc)


def _schedule(task: Task) -> str | None:
    """Name of the schedule that started the task, from django-celery-beat's header; else None."""
    name: str | None = task.request.get("periodic_task_name")
    return name
