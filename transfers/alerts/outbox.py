"""Write alerts, in the same transaction as their cause (a transactional outbox).

A unique constraint allows only one open alert of a kind and subject, if several processes notice
the cause.
`delivery` sends them.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from celery import current_app
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django_celery_beat.models import PeriodicTask

from flights import freshness, queue
from flights.errors import BadQuery
from flights.freshness import Freshness
from flights.models import Export
from flights.tables import NAMES
from transfers.exceptions import TransferError
from transfers.models import Alert, Transfer, WarehouseJob

from . import channels

log = logging.getLogger(__name__)

About, Kind = Alert.About, Alert.Kind
DELIVER = "transfers.tasks.deliver_alerts"
# `review` runs every minute; it ignores older failures of exports, such as those before an upgrade.
RECENT = timedelta(hours=1)


def failed(transfers: Iterable[Transfer], error: str, advice: str) -> None:
    """Open an alert for each table whose transfer failed, unless one is open."""
    _write(
        Alert(
            subject=transfer.table,
            kind=Kind.FAILED,
            text=f"{transfer} failed: {error}",
            advice=advice,
            happened_at=Now(),
            transfer=transfer,
        )
        for transfer in transfers
    )


def succeeded(transfers: Iterable[Transfer]) -> None:
    """End all alerts of the tables: each was just verified to equal its source."""
    for_table = {transfer.table: transfer for transfer in transfers}
    alerts = Alert.objects.filter(about=About.TABLE, subject__in=for_table, kind__in=Alert.ENDS)
    _end(alerts, for_table)


def job_ended(job: WarehouseJob, error: str, advice: str) -> None:
    """Open an alert for this kind of job if it failed, otherwise end the open one."""
    what: dict[str, tuple[str, str]] = {
        WarehouseJob.Kind.BUILD: ("build", "The build of the final tables"),
        WarehouseJob.Kind.PUBLISH: ("publication", f"The publication of {job.name or 'months'}"),
    }
    subject, text = what.get(job.kind, ("ingest", f"The ingest of {job.name}"))
    if error:
        _fail(About.JOB, subject, f"{text} failed: {error}", advice)
    else:
        _recover(About.JOB, subject)


def schedule_failed(name: str, error: BaseException) -> None:
    """Open an alert for a schedule that failed or could not start."""
    is_ours = isinstance(error, (TransferError, BadQuery, ValueError))
    reason = str(error) if is_ours else f"{type(error).__name__}: {error}"
    advice = "Correct the schedule in the admin, or see the log of the worker."
    _fail(About.SCHEDULE, name, f"The schedule {name!r} failed: {reason}", advice)


def schedule_succeeded(name: str) -> None:
    """End the open alert of a schedule."""
    _recover(About.SCHEDULE, name)


def review() -> None:
    """Open and end the alerts of tables and exports; end those of schedules that are paused."""
    with transaction.atomic():
        _review_tables()
        _review_exports()
        enabled = PeriodicTask.objects.filter(enabled=True).values("name")
        _end(Alert.objects.filter(about=About.SCHEDULE).exclude(subject__in=enabled), {})


def _review_tables() -> None:
    stale = [table for table in freshness.of_all() if table.stale]
    if stale:  # a line each minute, so that log monitoring sees when the problem ends
        log.warning("stale tables: %s", ", ".join(fresh.table for fresh in stale))
    _write(map(_stale, stale))
    others = Alert.objects.exclude(subject__in=[fresh.table for fresh in stale])
    _end(others.filter(about=About.TABLE, kind=Kind.STALE), {})


def _review_exports() -> None:
    """Open and end alerts of exports here, because `flights` must not import `transfers`."""
    for table in NAMES:
        last = Alert.objects.filter(about=About.EXPORT, subject=table).first()
        recent = Export.objects.filter(table=table, finished_at__gt=Now() - RECENT)
        new = recent.filter(finished_at__gt=last.happened_at) if last else recent
        ended = new.order_by("finished_at")
        failed, newest = ended.filter(status=Export.Status.FAILED).first(), ended.last()
        if failed:
            _fail(About.EXPORT, table, f"{failed} failed: {failed.error}", at=failed.finished_at)
        if newest and newest.status != Export.Status.FAILED:
            _recover(About.EXPORT, table, at=newest.finished_at)


def _stale(fresh: Freshness) -> Alert:
    last = (
        f"the last time was {_minute(fresh.confirmed_at)}" if fresh.confirmed_at else "it never was"
    )
    return Alert(
        subject=fresh.table,
        kind=Kind.STALE,
        text=f"The published version of {fresh.table} should be confirmed equal to the warehouse"
        f" every {fresh.within}; {last}.",
        advice="If the table was rolled back, publish its newest version again. Otherwise check"
        " that the schedule is on and that beat and a worker run, and read the transfers' errors.",
        happened_at=Now(),
    )


def _fail(
    about: Alert.About, subject: str, text: str, advice: str = "", at: datetime | None = None
) -> None:
    alert = Alert(about=about, subject=subject, kind=Kind.FAILED, text=text, advice=advice)
    alert.happened_at = at or Now()
    _write([alert])


def _recover(about: Alert.About, subject: str, at: datetime | None = None) -> None:
    failures = Alert.objects.filter(about=about, subject=subject, kind=Kind.FAILED)
    if failures.filter(ended_at=None).exists():
        with transaction.atomic():
            _end(failures, {}, at)


def _end(alerts: "QuerySet[Alert]", by: dict[str, Transfer], at: datetime | None = None) -> None:
    """End the open alerts, and write an alert about the end of each.

    Row locks ensure that only one process writes it. `by` maps a table to the transfer that ended
    its alert.
    """
    now: datetime | Now = at or Now()
    problems = alerts.filter(kind__in=Alert.ENDS, ended_at=None)
    ended = list(problems.select_for_update().order_by("about", "subject", "kind"))
    if not ended:
        return
    Alert.objects.filter(pk__in=[alert.pk for alert in ended]).update(ended_at=now)
    _write(
        Alert(
            about=alert.about,
            subject=alert.subject,
            kind=Alert.ENDS[Kind(alert.kind)],
            text=f"{alert.what} is in order again; it was {alert.kind} "
            f"since {_minute(alert.happened_at)}.",
            happened_at=now,
            transfer=by.get(alert.subject),
        )
        for alert in ended
    )


def _write(alerts: Iterable[Alert]) -> None:
    """Write alerts, except those that are open already, and send them after the commit."""
    # In one order, so that two processes cannot deadlock on the constraint.
    written = sorted(alerts, key=lambda alert: (alert.about, alert.subject))
    Alert.objects.bulk_create(written, ignore_conflicts=True)
    if written and channels.configured():
        transaction.on_commit(_deliver)


def _deliver() -> None:
    """Tell a worker to send alerts now; otherwise the schedule sends them within a minute."""
    try:
        current_app.send_task(DELIVER, retry=False)
    except queue.FAILURES as error:
        log.warning("alerts wait for the schedule, as the queue does not take tasks: %s", error)


def _minute(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"
