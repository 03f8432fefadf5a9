"""Machines whose clocks differ agree on times, because all of them use PostgreSQL's clock."""

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests import exporting
from tests.fault_probes import database
from tests.platform import Platform, until

AHEAD = timedelta(hours=30)  # how far PostgreSQL's clock is ahead of the machine's
# Functions of the schema `public` come first, then those of PostgreSQL.
OTHER_CLOCK = (
    "CREATE FUNCTION public.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE"
    f" AS $$ SELECT pg_catalog.statement_timestamp() + interval '{AHEAD.total_seconds()} s' $$",
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog',"
    " current_database()); END $$",
    "SET search_path = public, pg_catalog",
    # Column defaults still call PostgreSQL's function, which the migration found.
    *(
        f"ALTER TABLE {column.replace('.', ' ALTER ')} SET DEFAULT statement_timestamp()"
        for column in (
            *("transfers_transfer.asked_at", "transfers_warehousejob.asked_at"),
            *("flights_export.asked_at", "flights_export.due_at"),
        )
    ),
)
WORK = """
from transfers import warehouse_jobs
from transfers.alerts import outbox
warehouse_jobs.queue("build", "test")
warehouse_jobs.work()
outbox.schedule_failed("nightly", ValueError("test"))
"""
REVIEW = "from transfers import tasks; tasks.look_at_freshness()"
STALE = f"SELECT kind FROM transfers_alert WHERE kind = 'stale' AND text LIKE '%{exporting.TABLE}%'"
REAP = "from transfers import tasks; tasks.reap()"
LOSE = (
    "UPDATE {} SET status = 'running', finished_at = NULL,"
    " started_at = statement_timestamp() - interval '5 min',"
    " heartbeat_at = statement_timestamp() - interval '5 min'"
)
FLIGHTS = "2013-01-07,Alpha,X,Y,10,5"
TIMES = {
    "transfers_transfer": ("asked_at", "started_at", "heartbeat_at", "finished_at"),
    "transfers_warehousejob": ("asked_at", "started_at", "heartbeat_at", "finished_at"),
    "flights_export": ("asked_at", "due_at", "started_at", "heartbeat_at", "finished_at"),
    "transfers_alert": ("happened_at",),
    "flights_tableversion": ("published_at", "confirmed_at"),
    "flights_publishedtable": ("since",),
}


@pytest.fixture
def platform(fresh: Platform) -> Platform:
    """A platform on a machine whose clock is 30 hours late; a table and an export are done."""
    exporting.execute(fresh, *OTHER_CLOCK)
    fresh.ingest(FLIGHTS)
    fresh.manage("transfer", exporting.TABLE)
    with fresh.running("worker"):
        key = exporting.start(fresh)
        until(lambda: exporting.row(fresh, key)["status"] == "done")
    fresh.python(WORK)
    return fresh


def rows(platform: Platform, statement: str) -> list[dict[str, Any]]:
    with database(platform) as connection:
        return list(connection.cursor(row_factory=psycopg.rows.dict_row).execute(statement))


def far(platform: Platform, table: str) -> list[str]:
    """The times of a table's rows that are more than an hour from PostgreSQL's clock."""
    now: datetime = rows(platform, "SELECT statement_timestamp()")[0]["statement_timestamp"]
    return [
        f"{table}.{name} {row[name]}"
        for row in rows(platform, f"SELECT * FROM {table}")
        for name in TIMES[table]
        if abs(now - row[name]) > timedelta(hours=1)
    ]


def test_times_of_work_are_those_of_postgresql_and_reveal_a_dead_worker(
    platform: Platform,
) -> None:
    assert [time for table in TIMES for time in far(platform, table)] == []
    (export,) = rows(platform, "SELECT expires_at - finished_at AS kept FROM flights_export")
    assert export["kept"] == timedelta(hours=24)
    for table in ("transfers_transfer", "transfers_warehousejob", "flights_export"):
        exporting.execute(platform, LOSE.format(table))
    platform.python(REAP)
    exporting.sweep(platform)
    assert rows(platform, "SELECT status FROM transfers_transfer") == [{"status": "failed"}]
    assert rows(platform, "SELECT status FROM transfers_warehousejob") == [{"status": "queued"}]
    assert rows(platform, "SELECT status FROM flights_export") == [{"status": "queued"}]


def test_a_table_is_stale_by_the_clock_of_postgresql(platform: Platform) -> None:
    platform.python(REVIEW)
    assert rows(platform, STALE) == []
    late = "UPDATE flights_tableversion SET confirmed_at = confirmed_at - interval '{} hours'"
    exporting.execute(platform, late.format(25))
    platform.python(REVIEW)
    assert len(rows(platform, STALE)) == 1
