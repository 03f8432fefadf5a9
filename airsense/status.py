"""Check each service that the platform depends on by sending it a request."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models import Max
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from flights import queue
from flights.access import rate_limiter
from transfers import warehouse_contact, warehouses
from transfers.exceptions import TransferError

from . import replica
from .celery import app
from .checks import FRESH_FOR, Check, deadline

# Database alias with short timeouts. A stopped (SIGSTOP) server accepts connections and then hangs.
STATUS = "status"
PING_TIMEOUT = 1.0  # seconds that workers have to reply
# Beat counts as down if no task has run for this long. One is due every 10 s.
BEAT_TIMEOUT = timedelta(seconds=45)


@dataclass(frozen=True)
class State:
    """The result of a check."""

    part: str
    up: bool | None  # None: never checked
    detail: str  # one line, shown only to administrators
    advice: str = ""
    at: datetime | None = None  # when it was checked, if not now


def warehouse() -> State:
    try:
        tables = warehouses.connect(settings.WAREHOUSE_URL).tables()
    except TransferError as error:
        warehouse_contact.record(up=False)
        return State("warehouse", False, str(error), error.advice)
    warehouse_contact.record(up=True)
    return State("warehouse", True, f"{len(tables)} tables")


def postgresql() -> State:
    try:
        with connections[STATUS].cursor() as cursor:
            cursor.execute("SHOW server_version")
            (version,) = cursor.fetchone()
    except DatabaseError as error:
        return State("postgresql", False, _first_line(error), "Check that it runs at DATABASE_URL.")
    return State("postgresql", True, str(version))


def reader() -> State:
    try:
        lag = replica.lag()
    except DatabaseError as error:
        return State("reader", False, _first_line(error), "Check that it runs at READER_URL.")
    return State("reader", True, str(lag))


def valkey() -> State:
    try:
        rate_limiter.valkey().ping()  # fails if the disk is full (MISCONF); LLEN does not
        waiting = queue.waiting()
    except queue.FAILURES as error:
        advice = "Check that it runs at REDIS_URL and that its disk is not full."
        return State("valkey", False, str(error), advice)
    return State("valkey", True, f"{waiting} tasks in the queue")


def worker() -> State:
    advice = "Start a worker: manage.py worker"
    if not (queue := valkey()).up:
        return State("worker", False, f"Valkey does not answer: {queue.detail}", queue.advice)
    names = [name for reply in app.control.ping(timeout=PING_TIMEOUT) for name in reply]
    return State(
        "worker", bool(names), ", ".join(names) or "no worker answers", "" if names else advice
    )


def beat() -> State:
    advice = "Start it: manage.py beat"
    try:
        last = PeriodicTask.objects.using(STATUS).aggregate(last=Max("last_run_at"))["last"]
    except DatabaseError as error:
        return State("beat", False, f"PostgreSQL does not answer: {_first_line(error)}", advice)
    up = last is not None and timezone.now() - last < BEAT_TIMEOUT
    detail = f"last run at {last:%H:%M:%S} UTC" if last else "no task has run yet"
    return State("beat", up, detail, "" if up else advice)


PARTS: dict[str, Callable[[], State]] = {
    part.__name__: part for part in (warehouse, postgresql, valkey, worker, beat)
}
if settings.HAS_READER_URL:
    PARTS["reader"] = reader  # public queries may go to another server
CHECKS = {name: Check(part) for name, part in PARTS.items()}


def of(part: str, fresh_for: float = FRESH_FOR) -> State:
    """Check a part, for at most `checks.deadline()` seconds; or use a result that is still fresh.

    `fresh_for` is in seconds.
    """
    try:
        return CHECKS[part].result(fresh_for)
    except TimeoutError:
        advice = "It hangs, or it is slower than STATUS_TIMEOUT_MS allows."
        return State(part, False, f"does not answer within {deadline():g} s.", advice)


def states(
    parts: Iterable[str] = PARTS, fresh_for: Mapping[str, float] = MappingProxyType({})
) -> list[State]:
    """Check several parts at the same time; `fresh_for` has seconds for some of them."""
    seconds = {part: fresh_for.get(part, FRESH_FOR) for part in parts}
    for part in seconds:
        CHECKS[part].begin(seconds[part])
    return [of(part, seconds[part]) for part in seconds]


def _first_line(error: Exception) -> str:
    """The error without the advice that libpq adds on further lines."""
    return str(error).strip().partition("\n")[0]
