"""Metrics of a worker: the tasks that it ran, and how long they took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from celery.exceptions import Retry
from prometheus_client import Histogram

from .registry import own

SECONDS = (0.01, 0.1, 1, 10, 60, 600, 3600)

_seconds = Histogram(
    "airsense_task_seconds",
    "Seconds that tasks took, by outcome: succeeded, failed or retried.",
    ["task", "outcome"],
    buckets=SECONDS,
    registry=own,
)


@contextmanager
def measured(task: str) -> Iterator[None]:
    """Measure the run of a task."""
    began, outcome = time.monotonic(), "failed"
    try:
        yield
        outcome = "succeeded"
    except Retry:
        outcome = "retried"
        raise
    finally:
        _seconds.labels(task, outcome).observe(time.monotonic() - began)
