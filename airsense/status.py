"""The state of everything that the platform depends on: asked of each part, never guessed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models import Max
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from flights.access import rate_limiter
from flights.queue import FAILURES
from transfers import warehouses
from transfers.exceptions import TransferError

from .celery import app
from .checks import Check, deadline

# The database alias of DATABASE_URL with a time-out for connecting: a server that is stopped takes
# connections and never goes on with them.
STATUS = "status"
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
        with connections[STATUS].cursor() as cursor:
            cursor.execute("SHOW server_version")
            (version,) = cursor.fetchone()
    except DatabaseError as error:
        return State("postgresql", False, _line(error), "See that it runs at DATABASE_URL.")
    return State("postgresql", True, str(version))


def valkey() -> State:
    try:
        waiting = rate_limiter.valkey.llen(settings.VALKEY_PREFIX + app.conf.task_default_queue)
    except FAILURES as error:
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
        last = PeriodicTask.objects.using(STATUS).aggregate(last=Max("last_run_at"))["last"]
    except DatabaseError as error:
        return State("beat", False, f"PostgreSQL does not answer: {_line(error)}", advice)
    up = last is not None and timezone.now() - last < BEATS_WITHIN
    said = f"last at {last:%H:%M:%S} UTC" if last else "never"
    return State("beat", up, said, "" if up else advice)


PARTS: dict[str, Callable[[], State]] = {
    part.__name__: part for part in (warehouse, postgresql, valkey, worker, beat)
}


CHECKS = {name: Check(part) for name, part in PARTS.items()}


def of(part: str) -> State:
    """The state of a part within the deadline."""
    try:
        return CHECKS[part].result()
    except TimeoutError:
        advice = "It hangs or is slow: STATUS_TIMEOUT_MS is how long AirSense waits for a part."
        return State(part, False, f"does not answer within {deadline():g} s.", advice)


def states(parts: Iterable[str] = PARTS) -> list[State]:
    """The states of several parts, which are checked at the same time."""
    parts = list(parts)
    for part in parts:
        CHECKS[part].begin()
    return [of(part) for part in parts]


def _line(error: Exception) -> str:
    """libpq adds lines of advice of its own."""
    return str(error).strip().partition("\n")[0]
