"""Create exports, and slow down their rows as a test needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.platform import Platform

TABLE = "flight_delay_data"
RELATION = f"{TABLE}__v1"
START = (
    "from flights import tasks; from flights.models import Requester;"
    " from flights.tables import by_name;"
    f"print(tasks.start(by_name('{TABLE}'), '{{}}', '{{}}', Requester(user='test')).pk)"
)


def start(platform: Platform, query: str = "", format_: str = "csv") -> str:
    """Request an export as the API does; return its key."""
    return platform.python(START.format(query, format_)).strip()


def sweep(platform: Platform) -> None:
    """Run the sweep that the schedule runs every 10 s."""
    platform.python("from flights import tasks; tasks.sweep_exports()")


def row(platform: Platform, key: str) -> dict[str, Any]:
    with psycopg.connect(platform.env["DATABASE_URL"]) as connection:
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        record = cursor.execute("SELECT * FROM flights_export WHERE id = %s", [key]).fetchone()
        return dict(record or {})


def swept(platform: Platform, key: str) -> str:
    """Return the status of an export after a sweep, which also notifies a worker that missed it."""
    sweep(platform)
    return str(row(platform, key)["status"])


def execute(platform: Platform, *statements: str) -> None:
    with psycopg.connect(platform.env["DATABASE_URL"], autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def slowly(platform: Platform, pause: float = 0.04, at_once: int = 5_000) -> Iterator[None]:
    """Let PostgreSQL return `at_once` rows at once, then 100 after each pause (seconds)."""
    reader = f"{platform.env['DATABASE_URL'].rpartition('/')[2].partition('?')[0]}_reader"
    execute(
        platform,
        f"ALTER TABLE {RELATION} RENAME TO kept",
        f"CREATE VIEW {RELATION} AS SELECT * FROM kept"
        f" WHERE id <= {at_once} OR id % 100 > 0 OR pg_sleep({pause}) IS NOT NULL",
        f"GRANT SELECT ON {RELATION} TO {reader}",
    )
    try:
        yield
    finally:
        execute(platform, f"DROP VIEW {RELATION}", f"ALTER TABLE kept RENAME TO {RELATION}")


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []
