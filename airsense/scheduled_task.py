"""The base class of every Celery task: alerts, log fields, traces and metrics.

Transfers and jobs record their outcome in a database row, but a scheduled task can fail before it
creates one. So its failure opens an alert, which its next success closes.
"""

from typing import Any

from celery import Task

from flights import log_fields, tracing
from transfers.alerts import outbox

REQUEST_ID, TRACEPARENT = "request_id", "traceparent"  # headers of a task's message


class AlertingTask(Task):
    """A task whose scheduled runs open and close alerts.

    Its log lines have the id of the request that queued it, and its spans belong to that trace.
    """

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
        with tracing.span(f"queue {self.name}", "producer"):
            own = {
                REQUEST_ID: log_fields.current().get("request_id", ""),
                TRACEPARENT: tracing.traceparent(),
            }
            headers = {**(options.pop("headers", None) or {}), **own}
            return super().apply_async(args, kwargs, headers=headers, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from .metrics import tasks  # not above: the worker creates its folder first

        name, header = self.name, self.request.get
        request_id = header(REQUEST_ID) or header("id") or "-"
        with (
            log_fields.bound(request_id=request_id, task=name),
            tracing.span(f"run {name}", "consumer", header(TRACEPARENT) or ""),
            tasks.measured(name),
        ):
            return super().__call__(*args, **kwargs)

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
