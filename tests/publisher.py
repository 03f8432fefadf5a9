"""Publish versions of all tables one after the other, in a separate process.

`python -m tests.publisher COUNT RECORDS`. Version N has the flights of
`expected_tables.records(N, RECORDS)`. Prints a JSON list: for each version the seconds that
publishing it took, and how many exports were open then.
"""

import io
import json
import sys
import tempfile
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection

from tests import expected_tables, platform


def main(count: int, records: int) -> None:
    from flights.tables import TABLES
    from transfers import services
    from transfers.models import Transfer
    from transfers.run import runner

    silent, exports = io.StringIO(), list[int]()

    for number in range(2, count + 2):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "raw.csv"
            rows = expected_tables.as_csv(expected_tables.records(number, records))
            file.write_text(f"{platform.COLUMNS}\n{rows}")
            call_command("ingest", str(file), replace=True, stdout=silent, stderr=silent)
        call_command("broker", stdout=silent, stderr=silent)
        runner.run(services.queue(TABLES, asked_by="publisher"))
        exports.append(open_exports())
    made = Transfer.objects.filter(asked_by="publisher", table=TABLES[0]._meta.db_table)
    seconds = [t.seconds["publishing"] for t in made.order_by("pk")]
    sys.stdout.write(json.dumps(list(zip(seconds, exports, strict=True))))


def open_exports() -> int:
    """Count the exports that PostgreSQL runs now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
            " AND query LIKE 'COPY (%' AND datname = current_database()"
        )
        (count,) = cursor.fetchone()
    return int(count)


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]), int(sys.argv[2]))
