"""The class of every task: it tells how the runs of a schedule end.

A transfer or a job has a row that says how it went. A scheduled task can fail before it has one, so
its failure becomes an alert, which the next success ends.
"""

from typing import Any

from celery import Task

from transfers.alerts import outbox


class Run(Task):
    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        if schedule := _schedule(self):
            outbox.schedule_succeeded(schedule)

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        if schedule := _schedule(self):
            outbox.schedule_failed(schedule, exc)


def _schedule(task: Task) -> str | None:
    """The name of the schedule that a task runs by: django-celery-beat sends it as a header."""
    name: str | None = task.request.get("periodic_task_name")
    return name
