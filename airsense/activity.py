"""The numbers of the dashboard: what the database and the web processes have counted."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q, Sum
from django.urls import reverse
from django.utils import timezone

from flights.admin import formats
from flights.models import Export
from transfers.models import Transfer, WarehouseJob

PERIOD = timedelta(hours=24)


@dataclass(frozen=True)
class Figure:
    """A number with its unit, and a page with more."""

    name: str
    value: str
    detail: str
    url: str = ""


def of_last_day() -> list[Figure]:
    """What ran in the last 24 hours."""
    since = timezone.now() - PERIOD
    return [_transfers(since), _jobs(since), _exports(since)]


def of_requests() -> list[Figure]:
    """What all web processes of this machine have answered since the web server started."""
    # Not at the top: prometheus_client may be imported only after the server has set its folder.
    from airsense.metrics.registry import processes

    samples = [sample for metric in processes().collect() for sample in metric.samples]
    answers: Counter[str] = Counter()
    errors = 0.0
    for sample in samples:
        if sample.name == "airsense_answers_total":
            answers[sample.labels["cache"]] += int(sample.value)
        elif sample.name == "airsense_requests_total" and sample.labels["status"].startswith("5"):
            errors += sample.value
    cacheable = answers["hit"] + answers["miss"]
    cached = f"{answers['hit'] / cacheable:.1%} of those" if cacheable else "none yet of those"
    detail = (
        f"{cached} that can be cached came from the cache; {errors:,.0f} errors (5xx);"
        " on this machine, since the web server started"
    )
    return [Figure("requests", f"{answers.total():,}", detail)]


def _transfers(since: Any) -> Figure:
    rows = Transfer.objects.filter(asked_at__gte=since)
    published = Q(status=Transfer.Status.SUCCEEDED) & ~Q(mode=Transfer.Mode.ROLLBACK)
    counts = rows.aggregate(
        all=Count("pk"),
        done=Count("pk", published),
        back=Count("pk", Q(mode=Transfer.Mode.ROLLBACK)),
        failed=Count("pk", Q(status=Transfer.Status.FAILED)),
        rows=Sum("rows_done", default=0),
        size=Sum("bytes_done", default=0),
    )
    detail = (
        f"{counts['done']:,} published, {counts['failed']:,} failed,"
        f" {counts['back']:,} rolled back; {counts['rows']:,} rows, {formats.size(counts['size'])}"
    )
    url = reverse("admin:transfers_transfer_changelist")
    return Figure("transfers", f"{counts['all']:,}", detail, url)


def _jobs(since: Any) -> Figure:
    counts = WarehouseJob.objects.filter(asked_at__gte=since).aggregate(
        all=Count("pk"), failed=Count("pk", Q(status=WarehouseJob.Status.FAILED))
    )
    url = reverse("admin:transfers_warehousejob_changelist")
    return Figure("warehouse jobs", f"{counts['all']:,}", f"{counts['failed']:,} failed", url)


def _exports(since: Any) -> Figure:
    counts = Export.objects.filter(asked_at__gte=since).aggregate(
        all=Count("pk"),
        failed=Count("pk", Q(status=Export.Status.FAILED)),
        size=Sum("bytes", default=0),
    )
    detail = f"{counts['failed']:,} failed; {formats.size(counts['size'])}"
    return Figure(
        "exports", f"{counts['all']:,}", detail, reverse("admin:flights_export_changelist")
    )
