"""Publish versions one after the other through the queue, until it is stopped.

`python -m benchmarks.hosts.publisher RECORDS FILE`. Number N is a version with the flights of
`expected_tables.records(N, RECORDS)`. Appends a line to FILE for each transfer that ended:
[time, number, status, version, attempt, error].
"""

import io
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path

import django
from django.core.management import CommandError, call_command

from tests import expected_tables, platform

TABLE = "delays_by_day"


def main(records: int, file: Path) -> None:
    from django.db import DatabaseError, InterfaceError, close_old_connections

    from transfers.exceptions import TransferError

    for number in itertools.count(2):
        done = False
        while not done:
            try:
                done = publish(number, records, file)
            except (DatabaseError, InterfaceError, TransferError, CommandError) as error:
                note(file, number, type(error).__name__, "", 0, str(error))
                close_old_connections()
                time.sleep(1)


def publish(number: int, records: int, file: Path) -> bool:
    """Write a number's rows to the warehouse and transfer them; return whether that succeeded."""
    from flights import tables
    from transfers import tasks
    from transfers.models import Transfer

    ingest(number, records)
    (pk,) = tasks.start([tables.by_name(TABLE)], "publisher")
    while (transfer := Transfer.objects.get(pk=pk)).status in Transfer.ACTIVE:
        time.sleep(0.2)
    version = f"{TABLE}/{transfer.version.number}" if transfer.version else ""
    note(file, number, transfer.status, version, transfer.attempt, transfer.error)
    return transfer.status == Transfer.Status.SUCCEEDED


def ingest(number: int, records: int) -> None:
    silent = io.StringIO()
    rows = expected_tables.as_csv(expected_tables.records(number, records))
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.csv"
        raw.write_text(f"{platform.COLUMNS}\n{rows}")
        call_command("ingest", str(raw), replace=True, stdout=silent, stderr=silent)
    call_command("broker", stdout=silent, stderr=silent)


def note(file: Path, *values: object) -> None:
    with file.open("a") as lines:
        lines.write(json.dumps([time.time(), *values]) + "\n")


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]), Path(sys.argv[2]))
