"""The slots of costly queries, which all web processes share (flights.query.shared_slots)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from flights.query.shared_slots import FILES, MEDIUM_QUERIES, QUERIES, Kind
from tests.platform import until


@contextmanager
def all_taken(kind: Kind) -> Iterator[None]:
    """Take every slot of a kind during the block, as other processes do."""
    facts = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    params: dict[str, Any] = {name: facts[name] for name in names if facts.get(name)}
    with psycopg.connect(**params, autocommit=True) as other:
        for number in range(1, kind.at_once + 1):
            until(lambda n=number: _take(other, kind, n))
        yield


def _take(other: "psycopg.Connection[Any]", kind: Kind, number: int) -> bool:
    row = other.execute("SELECT pg_try_advisory_lock(%s, %s)", [kind.lock, number]).fetchone()
    return bool(row and row[0])


def taken() -> int:
    """Count the slots that queries hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = ANY(%s)"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [[kind.lock for kind in (QUERIES, MEDIUM_QUERIES, FILES)]],
        )
        return int(cursor.fetchone()[0])
