"""Record the ingested files that a version of the flights is built from, and note the new ones.

The warehouse knows the files of the last build. A transfer stores them, and notes those that the
version before did not have. Downloaded months are noted by the job that publishes them.
"""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from flights.models.mirrored import FlightDelayData
from transfers.broker.builds import BUILDS
from transfers.exceptions import SourceMissing
from transfers.ingest.raw_table import INGESTED
from transfers.models import DownloadedMonth, Transfer
from transfers.warehouses import Snapshot, Warehouse

from . import source_reader

FLIGHTS = FlightDelayData._meta.db_table
NOTED = 50  # files; a first version can have hundreds

type File = dict[str, Any]  # digest, name, ingested_at, first, last, is_replaced


def record(
    transfer: Transfer, version: str, warehouse: Warehouse, check: Callable[[], object]
) -> None:
    """Store the files of the build that a transfer read, and note the new ones."""
    if transfer.table != FLIGHTS:
        return
    files = _files(warehouse, check)
    # If the table was built again meanwhile, the files may be those of the newer build.
    if files is None or warehouse.version(FLIGHTS) != version:
        return
    stored = Transfer.objects.filter(table=FLIGHTS, status=Transfer.Status.SUCCEEDED)
    last = stored.exclude(sources=None).first()
    Transfer.objects.filter(pk=transfer.pk).update(sources=files)
    if last or not stored.exists():  # else an earlier release transferred the version before
        transfer.notes = [*transfer.notes, *_lines(last.sources or [] if last else [], files)]


def _files(warehouse: Warehouse, check: Callable[[], object]) -> list[File] | None:
    """The files of the last build; None if they are unknown."""
    read = partial(_read, warehouse, check)
    try:
        (build,), rows = read(BUILDS), read(INGESTED)
    except SourceMissing:
        return None
    if not build["Recipe"]:
        return None  # it is being built
    built = {(digest, time) for digest, time, *_ in json.loads(build.get("Files") or "[]")}
    rows = [row for row in rows if (row["Digest"], str(row["Ingested_At"])) in built]
    rows.sort(key=lambda row: row["Ingested_At"])
    return [_file(row, rows[-1]["Ingested_At"]) for row in rows]


def _read(warehouse: Warehouse, check: Callable[[], object], table: str) -> list[File]:
    def query(source: Snapshot) -> list[File]:
        rows: list[File] = source.query("SELECT * FROM {source}").to_pylist()
        return rows

    with source_reader.snapshot(warehouse, table, check) as source:
        return source.ahead(query)()


def _file(row: File, last: datetime) -> File:
    """A file; one that was replaced after the build is still in its tables."""
    replaced = row.get("Replaced_At")
    return {
        "digest": row["Digest"],
        "name": row["Name"],
        "ingested_at": f"{row['Ingested_At']:%Y-%m-%d %H:%M:%S.%f}",
        "first": str(row.get("First_Date") or ""),
        "last": str(row.get("Last_Date") or ""),
        "is_replaced": bool(replaced and replaced <= last),
    }


def _lines(before: Sequence[File], files: Sequence[File]) -> list[str]:
    """A line for each new file, except those that a job downloaded."""
    earlier = {_key(file) for file in before}
    downloaded = set(DownloadedMonth.objects.values_list("digest", flat=True))
    new = [
        file
        for file in files
        if _key(file) not in earlier
        and not file["is_replaced"]
        and file["digest"] not in downloaded
    ]
    gone = {_key(file) for file in files if file["is_replaced"]}
    old = [file for file in before if not file["is_replaced"] and _key(file) in gone]
    more = [f"and {len(new) - NOTED:,} more files"] if len(new) > NOTED else []
    return [_line(file, old) for file in new[:NOTED]] + more


def _line(file: File, old: Sequence[File]) -> str:
    """Such as "2024-01: april.zip, release 3f..., ingested ... in place of 8a..."."""
    replaced = [other["digest"][:12] for other in old if _months(other) & _months(file)]
    months = sorted(_months(file))
    period = f"{months[0]}..{months[-1]}" if len(months) > 1 else "".join(months)
    when = f"ingested {file['ingested_at'][:16]} UTC"
    line = f"{period or 'unknown months'}: {file['name']}, release {file['digest'][:12]}, {when}"
    return f"{line} in place of {', '.join(replaced)}" if replaced else line


def _months(file: File) -> set[str]:
    """The months from the first to the last date of a file."""
    if not (file["first"] and file["last"]):
        return set()
    first, last = date.fromisoformat(file["first"]), date.fromisoformat(file["last"])
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return {f"{number // 12}-{number % 12 + 1:02}" for number in numbers}


def _key(file: File) -> tuple[str, str]:
    return file["digest"], file["ingested_at"]
