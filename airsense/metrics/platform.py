"""Metrics of the whole platform, from PostgreSQL and Valkey: tables, transfers, queue, connections.

Every web process and worker reads them at each scrape, so they are visible if one process hangs.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import Any

from django.db import DatabaseError, connections
from django.db.models.functions import Now
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from airsense.checks import Check
from flights import freshness
from flights.models import Export
from flights.query.shared_slots import FILES, MEDIUM_QUERIES, QUERIES
from flights.queue import FAILURES, waiting
from flights.tables import NAMES, TABLES
from transfers.alerts.delivery import RETRIED_FOR
from transfers.models import Alert, Delivery, Transfer, WarehouseJob

STATUS = "status"  # database alias with short timeouts
SLOTS = {QUERIES: "heavy", MEDIUM_QUERIES: "medium", FILES: "file"}


def tables() -> Iterator[Metric]:
    published = freshness.published(STATUS)
    since = _gauge(
        "table_published_timestamp_seconds",
        "Time at which the current version was published.",
        "table",
    )
    confirmed = _gauge(
        "table_confirmed_timestamp_seconds",
        "Time at which the current version was last equal to the warehouse.",
        "table",
    )
    within = _gauge(
        "table_fresh_within_seconds", "Seconds after confirmation until it is stale.", "table"
    )
    stale = _gauge("table_stale", "1 if the table is stale, 0 if not.", "table")
    rows = _gauge("table_rows", "Rows of the current version.", "table")
    for model in TABLES:
        name = model._meta.db_table
        table, fresh = published.get(name), freshness.of(model, published.get(name))
        stale.add_metric([name], fresh.stale)
        if fresh.within:
            within.add_metric([name], fresh.within.total_seconds())
        if fresh.confirmed_at:
            confirmed.add_metric([name], fresh.confirmed_at.timestamp())
        if table:
            since.add_metric([name], table.since.timestamp())
            rows.add_metric([name], table.current.rows)
    yield from (since, confirmed, within, stale, rows)


def transfers() -> Iterator[Metric]:
    ended = "FROM transfers_transfer WHERE status <> ALL (%s)"
    phases = ended.replace("WHERE", ", jsonb_each_text(seconds) WHERE")
    yield _counter(
        "transfers",
        "Transfers that ended.",
        ("table", "status"),
        f'SELECT "table", status, count(*) {ended} GROUP BY 1, 2',
        product(NAMES, Transfer.ENDED),
    )
    yield _counter(
        "transfers_rows",
        "Rows that ended transfers copied.",
        ("table",),
        f'SELECT "table", sum(rows_done) {ended} GROUP BY 1',
        product(NAMES),
    )
    yield _counter(
        "transfers_seconds",
        "Seconds that each phase of ended transfers took.",
        ("table", "phase"),
        f'SELECT "table", key, sum(value::float8) {phases} GROUP BY 1, 2',
    )
    yield _by_status("transfers_active", "Queued and running transfers.", Transfer)


def work() -> Iterator[Metric]:
    yield _by_status("jobs_active", "Queued and running warehouse jobs.", WarehouseJob)
    yield _by_status("exports_active", "Queued and running exports.", Export)
    alerts = _gauge("alerts_open", "Problems that have not ended.", "kind")
    problems = Alert.objects.using(STATUS).filter(ended_at=None)
    for kind in Alert.ENDS:
        alerts.add_metric([kind], problems.filter(kind=kind).count())
    yield alerts
    since = Now() - RETRIED_FOR
    late = Delivery.objects.using(STATUS).filter(
        delivered_at=None, attempts__gt=0, alert__happened_at__gt=since
    )
    about = "Alerts that a channel has not accepted yet; they are retried."
    yield _value("alerts_undelivered", about, late.count())


def query_slots() -> Iterator[Metric]:
    used = _gauge("query_slots_used", "Slots of costly queries and large files in use.", "kind")
    limits = _gauge("query_slots", "Slots of costly queries and large files.", "kind")
    held = dict(
        _select(
            "SELECT classid::bigint, count(*) FROM pg_locks"
            " WHERE locktype = 'advisory' AND granted AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY 1"
        )
    )
    for kind, name in SLOTS.items():
        used.add_metric([name], held.get(kind.lock, 0))
        limits.add_metric([name], kind.at_once)
    yield from (used, limits)


def clients() -> Iterator[Metric]:
    by_role = _gauge("database_connections", "Connections to the database, by role.", "role")
    roles = _select(
        "SELECT usename, count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename IS NOT NULL GROUP BY 1"
    )
    for role, count in roles:
        by_role.add_metric([role], count)
    yield by_role
    ((limit,),) = _select("SELECT current_setting('max_connections')::int")
    yield _value("database_connections_limit", "Connections that PostgreSQL accepts.", limit)


def from_database() -> list[Metric]:
    """Read all metrics that come from PostgreSQL."""
    return [metric for read in (tables, transfers, work, query_slots, clients) for metric in read()]


def queue() -> Iterator[Metric]:
    """Whether Valkey answers, and then the number of queued tasks."""
    try:
        tasks = waiting()
    except FAILURES:
        yield _value("valkey_up", "Whether Valkey answers.", 0)
        return
    yield _value("valkey_up", "Whether Valkey answers.", 1)
    yield _value("queue_tasks", "Tasks that no worker has taken yet.", tasks)


class Platform(Collector):
    """Reads the metrics within the time limit of a health check."""

    def __init__(self, read: Callable[[], list[Metric]]) -> None:
        self.check = Check(read)

    def collect(self) -> Iterator[Metric]:
        yield from queue()
        try:
            metrics = self.check.result()
        except (DatabaseError, TimeoutError):
            metrics = []
        yield _value("postgresql_up", "Whether PostgreSQL answers.", bool(metrics))
        yield from metrics


collector = Platform(from_database)


def _gauge(name: str, about: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"airsense_{name}", about, labels=[label])


def _value(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"airsense_{name}", about, value=value)


def _counter(
    name: str,
    about: str,
    labels: Sequence[str],
    sql: str,
    expected: Iterable[tuple[str, ...]] = (),
) -> Metric:
    """A counter of the transfers that ended; `sql` selects labels and value.

    The `expected` labels begin at 0, because Prometheus counts no first value as an increase.
    """
    values = dict.fromkeys(expected, 0.0)
    for *key, value in _select(sql, list(Transfer.ACTIVE)):
        values[tuple(key)] = float(value)
    metric = CounterMetricFamily(f"airsense_{name}", about, labels=labels)
    for key, value in values.items():
        metric.add_metric(key, value)
    return metric


def _select(sql: str, *values: Any) -> list[Any]:
    with connections[STATUS].cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _by_status(name: str, about: str, model: type[Transfer | WarehouseJob | Export]) -> Metric:
    """A gauge of the model's queued and running rows, by status."""
    metric = _gauge(name, about, "status")
    rows = model.objects.using(STATUS).order_by()
    for status in Transfer.ACTIVE:
        metric.add_metric([status], rows.filter(status=status).count())
    return metric
