"""The public state of the platform: tables, current work, problems of the last week.

It contains no users, errors, hosts or SQL.
"""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from flights import freshness
from flights.models import Export, PublishedTable
from flights.tables import TABLES

from .models import Alert, Transfer, WarehouseJob

STATUS = "status"  # database alias with short timeouts
WEEK = timedelta(days=7)
MOST = 50  # problems in the list

type Facts = dict[str, list[dict[str, Any]]]


def read() -> Facts:
    """Read everything from PostgreSQL."""
    return {"tables": _tables(), "work": [*_transfers(), *_others()], "problems": _problems()}


def _tables() -> list[dict[str, Any]]:
    published = freshness.published(STATUS)
    return [
        _table(freshness.of(model, published.get(name)), published.get(name))
        for model in TABLES
        for name in [model._meta.db_table]
    ]


def _table(fresh: freshness.Freshness, published: PublishedTable | None) -> dict[str, Any]:
    return {
        "table": fresh.table,
        "version": published.current.number if published else None,
        "rows": published.current.rows if published else None,
        "published_at": published.since if published else None,
        "confirmed_at": fresh.confirmed_at,
        "fresh_within": fresh.within.total_seconds() if fresh.within else None,
        "stale": fresh.stale,
    }


def _transfers() -> list[dict[str, Any]]:
    active = Transfer.objects.using(STATUS).filter(status__in=Transfer.ACTIVE).order_by("pk")
    return [
        _work("transfer", transfer.table, transfer.status, transfer.started_at)
        | {
            "phase": transfer.phase,
            "percent": _percent(transfer),
            "seconds_left": _seconds_left(transfer),
        }
        for transfer in active
    ]


def _others() -> list[dict[str, Any]]:
    """Active warehouse jobs and exports, without the names of their files, which can be private."""
    jobs = WarehouseJob.objects.using(STATUS).filter(status__in=WarehouseJob.ACTIVE)
    exports = Export.objects.using(STATUS).filter(status__in=Export.ACTIVE)
    return [
        *(_work("job", job.get_kind_display(), job.status, job.started_at) for job in jobs),
        *(_work("export", export.table, export.status, export.started_at) for export in exports),
    ]


def _work(kind: str, what: str, status: str, since: datetime | None) -> dict[str, Any]:
    nothing = {"phase": "", "percent": None, "seconds_left": None}
    return {"kind": kind, "what": what, "status": status, "started_at": since, **nothing}


def _percent(transfer: Transfer) -> int | None:
    """The share of the rows that is copied, in percent; None if the number of rows is unknown."""
    if not transfer.rows_total:
        return None
    return min(100, 100 * transfer.rows_done // transfer.rows_total)


def _seconds_left(transfer: Transfer) -> int | None:
    """Seconds until the rows are copied, at the rate so far."""
    if transfer.phase != "copying" or not (transfer.rows_total and transfer.rows_done):
        return None
    return round(transfer.worked * (transfer.rows_total / transfer.rows_done - 1))


def _problems() -> list[dict[str, Any]]:
    """Problems of the last week and older ones that have not ended, newest first."""
    recent = Alert.objects.using(STATUS).filter(kind__in=Alert.ENDS)
    rows = recent.exclude(ended_at__lt=timezone.now() - WEEK).order_by("-happened_at")
    return [
        {
            "about": alert.about,
            "subject": alert.subject if alert.about != Alert.About.SCHEDULE else "",
            "kind": alert.kind,
            "began_at": alert.happened_at,
            "ended_at": alert.ended_at,
        }
        for alert in rows[:MOST]
    ]
