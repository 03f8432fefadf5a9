"""The timeline of the last week: for each table and day, what happened in which hour (UTC)."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Model, QuerySet
from django.db.models.functions import TruncHour
from django.urls import reverse
from django.utils import timezone

from flights.tables import NAMES
from transfers.models import Alert, Transfer, WarehouseJob

DAYS = 7
JOBS, OTHERS = "warehouse jobs", "other alerts"
# The kinds of events; later ones cover earlier ones of the same hour.
UNCHANGED, CANCELLED, DONE, ROLLED_BACK, ALERT, FAILED = KINDS = (
    *("unchanged", "cancelled", "published", "rolled back", "alert", "failed"),
)
OF_STATUS = {
    "succeeded": DONE,
    "unchanged": UNCHANGED,
    "failed": FAILED,
    "cancelled": CANCELLED,
}
STYLES = {kind: kind.replace(" ", "-") for kind in KINDS}
OF_JOBS = {DONE: "done"}  # jobs publish nothing by themselves

type Event = tuple[str, str, datetime, int]  # line, kind, hour, number


@dataclass
class Cell:
    """The events of one line (a table, JOBS or OTHERS) on one day."""

    line: str
    day: date
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    hours: dict[int, str] = field(default_factory=dict)  # the most important kind of each hour

    def add(self, kind: str, hour: int, count: int) -> None:
        self.counts[kind] += count
        self.hours[hour] = max(self.hours.get(hour, kind), kind, key=KINDS.index)

    @property
    def text(self) -> str:
        """For example "1 failed, 23 unchanged"."""
        words = OF_JOBS if self.line == JOBS else {}
        order = sorted(self.counts, key=KINDS.index, reverse=True)
        return ", ".join(f"{self.counts[kind]} {words.get(kind, kind)}" for kind in order)

    @property
    def marks(self) -> list[tuple[int, str]]:
        """The hour and the style of each mark."""
        return [(hour, STYLES[kind]) for hour, kind in sorted(self.hours.items())]

    @property
    def url(self) -> str:
        """The admin's list of the transfers, jobs or alerts that the cell counts."""
        page, subject = "transfers_transfer", {"table": self.line}
        if self.line == JOBS:
            page, subject = "transfers_warehousejob", {}
        if self.line == OTHERS:
            return reverse("admin:transfers_alert_changelist")
        day = {"asked_at_from": self.day.isoformat(), "asked_at_to": self.day.isoformat()}
        return f"{reverse(f'admin:{page}_changelist')}?{urlencode(subject | day)}"


def week() -> dict[str, object]:
    """The template's context: days, lines with a cell for each day, and the kinds with styles."""
    today = timezone.now().astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    lines = {name: {day: Cell(name, day) for day in days} for name in (*NAMES, JOBS, OTHERS)}
    since = datetime.combine(days[0], time(), UTC)
    for line, kind, hour, count in _events(since):
        cell = lines.get(line, lines[OTHERS]).get(hour.date())
        if cell:
            cell.add(kind, hour.hour, count)
    rows = [(name, list(cells.values())) for name, cells in lines.items()]
    return {"days": days, "lines": rows, "kinds": [(kind, STYLES[kind]) for kind in KINDS]}


def _events(since: datetime) -> Iterator[Event]:
    for table, mode, status, hour, count in _counts(
        Transfer, "asked_at", since, "table", "mode", "status"
    ):
        if status in OF_STATUS:
            rolled_back = mode == Transfer.Mode.ROLLBACK
            yield table, ROLLED_BACK if rolled_back else OF_STATUS[status], hour, count
    for status, hour, count in _counts(WarehouseJob, "asked_at", since, "status"):
        if status in OF_STATUS:
            yield JOBS, OF_STATUS[status], hour, count
    for subject, kind, hour, count in _counts(Alert, "happened_at", since, "subject", "kind"):
        if kind in Alert.ENDS:
            yield subject, ALERT, hour, count


def _counts(model: type[Model], moment: str, since: datetime, *by: str) -> Iterator[Any]:
    """Tuples of the values of the columns `by`, the hour and the number of rows."""
    rows: QuerySet[Any] = model._default_manager.filter(**{f"{moment}__gte": since}).order_by()
    hours = rows.annotate(hour=TruncHour(moment, tzinfo=UTC))
    yield from hours.values_list(*by, "hour").annotate(count=Count("pk"))
