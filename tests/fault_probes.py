"""Probes of a platform under faults: its readers, its newest transfer, its leftovers."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.commands import Command
from tests.platform import Platform, Site

TABLE = "flight_delay_data"
ROWS, ANSWER_ROWS = 10_000, 2_000  # of the table, and of each response of the warehouse
START = (
    "from transfers import tasks; from flights.tables import by_name;"
    f"tasks.start([by_name('{TABLE}')], 'test', forced=True)"
)

# A part of only that SQL which hashes the table's rows: the check of a session hashes no date.
HASH = "unix_date"
ADVISORY = 1  # key of the advisory lock that CREATE INDEX waits for
NO_INDEXES = f"SELECT pg_advisory_lock({ADVISORY})"


@contextmanager
def database(platform: Platform) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(platform.env["DATABASE_URL"], autocommit=True) as connection:
        yield connection


def page(rows: int = ROWS) -> str:
    return f"/api/{TABLE}/?limit=3&offset={rows - 2}"


@contextmanager
def read(site: Site, rows: int = ROWS, *, away: bool = False) -> Iterator[list[str]]:
    """Send requests during the block; each response must be complete. Yields their versions.

    `away`: PostgreSQL may be unreachable, so a response may also be 503 with Retry-After.
    """
    seen, wrong, stop = list[str](), list[Any](), threading.Event()

    def send() -> None:
        while not stop.is_set():
            response = site.get(page(rows))
            result = response.json().get("results") if response.status == 200 else response.body
            waits = away and response.status == 503 and "retry-after" in response.headers
            if not waits and (response.status != 200 or len(result) != 2):
                wrong.append(result)
            if not waits:
                seen.append(response.headers.get("x-airsense-version", ""))
            time.sleep(0.02)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
    assert not wrong


def last(platform: Platform) -> dict[str, Any]:
    """The newest transfer."""
    with database(platform) as connection:
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        row = cursor.execute("SELECT * FROM transfers_transfer ORDER BY id DESC LIMIT 1")
        return dict(row.fetchone() or {})


def current(site: Site) -> int:
    """The version of the site's responses, which may lag a new version by a second."""
    return int(site.get(page()).json()["version"])


def let_indexes_wait(platform: Platform) -> None:
    """Let CREATE INDEX wait for the advisory lock; `NO_INDEXES` takes it."""
    with database(platform) as connection:
        connection.execute(
            "CREATE FUNCTION hold() RETURNS event_trigger LANGUAGE plpgsql AS"
            f" 'BEGIN PERFORM pg_advisory_xact_lock({ADVISORY}); END'"
        )
        connection.execute(
            "CREATE EVENT TRIGGER hold ON ddl_command_start WHEN TAG IN ('CREATE INDEX')"
            " EXECUTE FUNCTION hold()"
        )


@contextmanager
def open_transaction(platform: Platform, statement: str) -> Iterator[None]:
    """Run a statement, and keep its transaction open during the block."""
    with psycopg.connect(platform.env["DATABASE_URL"]) as connection:
        connection.execute(statement)
        yield


def waiting(platform: Platform) -> int:
    """Count the statements that wait for a lock."""
    with database(platform) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int((row.fetchone() or (0,))[0])


def clean(platform: Platform) -> None:
    """Check that no relation, lock or running transfer is left behind."""
    with database(platform) as connection:
        version_tables = connection.execute(
            "SELECT \"table\" || '__v' || number FROM flights_tableversion"
        )
        existing = connection.execute(
            f"SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^{TABLE}__v'"
        )
        relations = [(name, f"{name}__values") for (name,) in version_tables]
        assert {name for (name,) in existing} == {name for both in relations for name in both}
        locks = connection.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE"
            " mode ~ 'Exclusive' AND locktype = 'relation' AND datname = current_database()"
            " AND backend_type = 'client backend'"  # autovacuum also takes locks
        )
        assert locks.fetchone() == (0,)
    assert last(platform)["status"] not in ("running", "queued")


@contextmanager
def worker(platform: Platform) -> Iterator[Command]:
    with platform.running("worker", "--concurrency=1") as process:
        yield process


def queue_transfer(platform: Platform) -> None:
    """Queue a transfer of the table, as the schedule does."""
    platform.python(START)
