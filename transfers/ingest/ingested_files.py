"""The table of the files whose records are in the raw table.

A file whose months were replaced by another one keeps its entry, with the time in Replaced_At.
"""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pyarrow as pa

from transfers.warehouses import Change, spark_sql

INGESTED = "ingested_files"
SCHEMA = pa.schema(
    [
        ("Digest", pa.string()),
        ("Name", pa.string()),
        ("Record_Count", pa.int64()),
        ("Ingested_At", pa.timestamp("us", "UTC")),
        ("First_Date", pa.date32()),  # of Flight_Date; null if an earlier release ingested it
        ("Last_Date", pa.date32()),
        ("Replaced_At", pa.timestamp("us", "UTC")),
    ]
)


@dataclass(frozen=True)
class Entry:
    """A file, its number of records, and their first and last date."""

    digest: str
    name: str
    rows: int
    first: date | None = None
    last: date | None = None
    is_replaced: bool = False

    def has_month(self, months: Iterable[date]) -> bool:
        """Whether the file's dates are in one of the months, which are their first days."""
        if not (self.first and self.last):
            return False
        return any(self.first.replace(day=1) <= month <= self.last for month in months)


def read(change: Change) -> list[Entry]:
    """Return all entries."""
    if INGESTED not in change.tables():
        return []
    rows = change.query(spark_sql.select("*", INGESTED)).to_pylist()
    return [
        Entry(
            row["Digest"],
            row["Name"],
            row["Record_Count"],
            row.get("First_Date"),
            row.get("Last_Date"),
            bool(row.get("Replaced_At")),
        )
        for row in rows
    ]


def key(digest: str, entries: Iterable[Entry]) -> str:
    """Return the key under which a file's rows are appended.

    A warehouse skips rows whose key it knows, so a file that is ingested again gets another one.
    """
    times = sum(entry.digest == digest and entry.is_replaced for entry in entries)
    return f"{digest}r{times}" if times else digest


def add(change: Change, entry: Entry, key: str) -> None:
    """Record that a file is ingested."""
    now = datetime.now(UTC)
    values = [entry.digest, entry.name, entry.rows, now, entry.first, entry.last, None]
    record = pa.record_batch([[value] for value in values], schema=SCHEMA)
    change.append(INGESTED, SCHEMA, [record], key)


def forget(change: Change, digests: Collection[str]) -> None:
    """Record that the records of files were replaced."""
    if not digests:
        return
    # Tables of earlier releases lack the column.
    change.append(INGESTED, SCHEMA, [pa.RecordBatch.from_pylist([], SCHEMA)], uuid.uuid4().hex)
    change.flush()
    files = ", ".join(map(spark_sql.text, sorted(digests)))
    change.execute(
        f"UPDATE {INGESTED} SET Replaced_At = CAST('{datetime.now(UTC)}' AS TIMESTAMP)"  # noqa: S608
        f" WHERE Digest IN ({files}) AND Replaced_At IS NULL"
    )
