"""The state of everything that the platform depends on: asked of each part, never guessed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Max
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from flights.queue import FAILURES
from transfers import warehouses
from transfers.exceptions import TransferError

from .celery import app

ASKED_EVERY = 5.0  # seconds; a crowd that watches the state must not be a load on the parts
ANSWERS_WITHIN = 1.0  # seconds
# The schedule has a task that is due every 10 s.
BEATS_WITHIN = timedelta(seconds=45)


@dataclass(frozen=True)
class State:
    part: str
    up: bool
    detail: str  # one line for administrators; the public is told only whether the part is up
    advice: str = ""


def warehouse() -> State:
    try:
        tables = warehouses.connect(settings.WAREHOUSE_URL).tables()
    except TransferError as error:
        return State("warehouse", False, str(error), error.advice)
    return State("warehouse", True, f"{len(tables)} tables")


def postgresql() -> State:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            (version,) = cursor.fetchone()
    except DatabaseError as error:
        return State("postgresql", False, _line(error), "See that it runs at DATABASE_URL.")
    return State("postgresql", True, str(version))


def valkey() -> State:
    try:
        with app.connection_for_write() as queue:
            queue.ensure_connection(max_retries=1, timeout=ANSWERS_WITHIN)
            waiting = queue.default_channel.client.llen(app.conf.task_default_queue)
    except (*FAILURES, OSError) as error:
        advice = "See that it runs at REDIS_URL, and that its disk has room."
        return State("valkey", False, str(error), advice)
    return State("valkey", True, f"{waiting} tasks wait")


def worker() -> State:
    advice = "Start one: manage.py worker"
    if not (queue := valkey()).up:
        return State("worker", False, f"the queue does not answer: {queue.detail}", queue.advice)
    names = [name for reply in app.control.ping(timeout=ANSWERS_WITHIN) for name in reply]
    return State("worker", bool(names), ", ".join(names) or "none answers", "" if names else advice)


def beat() -> State:
    advice = "Start one: manage.py beat"
    try:
        last = PeriodicTask.objects.aggregate(last=Max("last_run_at"))["last"]
    except DatabaseError as error:
        return State("beat", False, f"PostgreSQL does not answer: {_line(error)}", advice)
    up = last is not None and timezone.now() - last < BEATS_WITHIN
    said = f"last at {last:%H:%M:%S} UTC" if last else "never"
    return State("beat", up, said, "" if up else advice)


PARTS: dict[str, Callable[[], State]] = {
    part.__name__: part for part in (warehouse, postgresql, valkey, worker, beat)
}


def of(part: str) -> State:
    """The state of a part, at most `ASKED_EVERY` seconds old."""
    return _asked(part, int(time.monotonic() / ASKED_EVERY))


def _line(error: Exception) -> str:
    """libpq adds lines of advice of its own."""
    return str(error).strip().partition("\n")[0]


@lru_cache(maxsize=2 * len(PARTS))
def _asked(part: str, period: int) -> State:
    return PARTS[part]()
