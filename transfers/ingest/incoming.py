"""Tables that hold new rows before the raw table gets them; they exist only during an ingest.

Each call of `ingest` has its own table, because a warehouse without a writer's lock may run two
calls at once.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from transfers.warehouses import Change

PREFIX = "incoming_flight_records"
NAME = re.compile(PREFIX + r"(?:_(\d{20})_([0-9a-f]{16}))?")  # earlier releases had only one
TIME = "%Y%m%d%H%M%S%f"
ABANDONED_AFTER = timedelta(days=1)  # longer than any ingest takes


def name(digests: Iterable[str]) -> str:
    """Return a new table name for the rows of files with these SHA-256."""
    files = hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()[:16]
    return f"{PREFIX}_{datetime.now(UTC):{TIME}}_{files}"


def drop_abandoned(change: Change, new: str) -> None:
    """Drop tables that killed processes left behind: those of the same files, and old ones."""
    before = f"{datetime.now(UTC) - ABANDONED_AFTER:{TIME}}"
    files = new.rpartition("_")[2]
    for table in change.tables():
        match = NAME.fullmatch(table)
        if match and (match[2] == files or (match[1] or "") < before):
            change.drop(table)
