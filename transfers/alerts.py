"""What becomes an alert: written in the transaction of its cause, and once, whoever sees it too.

The rows are the outbox; `delivering` sends them.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from celery import current_app
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from flights import queue

from . import channels, freshness
from .models import Alert, Transfer

log = logging.getLogger(__name__)

Kind = Alert.Kind
SENDS = "transfers.tasks.deliver_alerts"


def failed(transfers: Iterable[Transfer], error: str, advice: str) -> None:
    """Open an alert of each table whose transfer just failed; one that is open stays the only."""
    now = timezone.now()
    _write(
        Alert(
            table=transfer.table,
            kind=Kind.FAILED,
            text=f"{transfer} failed: {error}",
            advice=advice,
            happened_at=now,
            transfer=transfer,
        )
        for transfer in transfers
    )


def succeeded(transfers: Iterable[Transfer]) -> None:
    """End every trouble of the tables: they were just found equal to their sources."""
    for_table = {transfer.table: transfer for transfer in transfers}
    _end(Alert.objects.filter(table__in=for_table, kind__in=Alert.ENDS), for_table)


def look() -> None:
    """Open an alert of each table that is not fresh any more, and end those of the others."""
    with transaction.atomic():
        breaches = freshness.breaches()
        _write(_stale(breach) for breach in breaches)
        others = Alert.objects.exclude(table__in=[breach.table for breach in breaches])
        _end(others.filter(kind=Kind.STALE), {})


def _stale(breach: freshness.Breach) -> Alert:
    since = f"not since {_minute(breach.since)}" if breach.since else "never"
    return Alert(
        table=breach.table,
        kind=Kind.STALE,
        text=f"{breach.table} should be found equal to the warehouse every {breach.within}: "
        f"it was {since}.",
        advice="See that the schedule is on, that beat and a worker run, and what transfers say.",
        happened_at=timezone.now(),
    )


def _end(troubles: "QuerySet[Alert]", by: dict[str, Transfer]) -> None:
    """Close those that are open, each with an alert of its end; the row's lock decides by whom."""
    now = timezone.now()
    ended = list(troubles.filter(ended_at=None).select_for_update().order_by("table", "kind"))
    if not ended:
        return
    Alert.objects.filter(pk__in=[alert.pk for alert in ended]).update(ended_at=now)
    _write(
        Alert(
            table=alert.table,
            kind=Alert.ENDS[Kind(alert.kind)],
            text=f"{alert.table} is in order again; it was {alert.kind} "
            f"since {_minute(alert.happened_at)}.",
            happened_at=now,
            transfer=by.get(alert.table),
        )
        for alert in ended
    )


def _write(alerts: Iterable[Alert]) -> None:
    """Write them but for those that the constraint knows; they are sent once this is committed."""
    written = sorted(alerts, key=lambda alert: alert.table)  # so none deadlocks
    Alert.objects.bulk_create(written, ignore_conflicts=True)
    if written and channels.open_ones():
        transaction.on_commit(_hasten)


def _hasten() -> None:
    """Have a worker send now what the schedule would send soon."""
    try:
        current_app.send_task(SENDS, retry=False)
    except queue.FAILURES as error:
        log.warning("alerts wait for the schedule, as the queue does not take tasks: %s", error)


def _minute(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"
