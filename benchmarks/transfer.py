"""A transfer from a SQL warehouse beside what PostgreSQL itself needs: `make bench-transfer`.

A platform of its own, on the tests' SQL warehouse (Databricks' wire protocol, on loopback),
carries `flight_delay_data` to a published version. `psql`'s \\copy puts the same rows from a
CSV file into the same columns and indexes, and usual tools carry some as people use them. A Parquet
file with the table's columns can be named; without one there are 2.4 million random rows.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import duckdb
import pyarrow as pa
from django.db import connection
from rich.console import Console
from rich.table import Table

from tests import servers  # noqa: F401  # leads this process to a database of its own
from tests.platform import most_memory
from tests.warehouse.running import running
from transfers.ingest.records import REQUIRED

if TYPE_CHECKING:
    from transfers.warehouses import Warehouse

TABLE = "flight_delay_data"
COLUMNS = list(REQUIRED)  # the raw records' columns and the table's are the same
RANDOM = (
    "(SELECT DATE '2008-01-01' + CAST(id % 121 AS INTEGER), 'Airline ' || (hash(id) % 20),"
    " 'City ' || (hash(id + 1) % 287), 'City ' || (hash(id + 2) % 287),"
    " CAST(hash(id + 3) % 90 AS INTEGER) - 15, CAST(hash(id + 4) % 90 AS INTEGER) - 15"
    f" FROM range(2400000) AS r(id)) AS made({', '.join(COLUMNS)})"
)
COPIED = (
    "SET client_min_messages = warning; DROP TABLE IF EXISTS copied;"
    " CREATE TABLE copied (LIKE {relation});\n\\copy copied FROM '{file}' (FORMAT csv)\n"
    "ALTER TABLE copied ADD PRIMARY KEY (id); {indexes} ANALYZE copied;"
)
PEERS = {"pandas to_sql": "to_sql", "dlt": "dlt_pipeline"}
FILE_ROWS = 300_000  # of a file of results: some 20 MB, as those of Databricks
DICTIONARY = "making the dictionary"
PHASES = ["reading", "copying", "indexing", DICTIONARY, "verifying", "publishing"]
PEER_ROWS = 200_000  # what slow tools carry; rates are compared


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "warehouse") as served:
        os.environ.update({**served.env, "DJANGO_SETTINGS_MODULE": "airsense.settings"})
        django.setup()
        _run([sys.executable, "manage.py", "setup"])
        served.set(file_rows=FILE_ROWS)
        rows = _fill(options.flights, options.times)
        found, unhashed, copies = [], [], []
        for _ in range(options.runs):  # in turn, as a machine is not the same all the time
            found.append(_transfer("manage.py"))
            unhashed.append(_transfer("-m", "benchmarks.unhashed"))
            copies.append(_copied(Path(folder) / "rows.csv"))
        peers = _peers(options.peers) if options.peers else {}
        _show(rows, found, unhashed, copies, peers)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flights", type=Path, help="a Parquet file")
    parser.add_argument("--times", type=int, default=1, help="repeat its rows so often")
    parser.add_argument("--runs", type=int, default=3, help="of each; the median is shown")
    parser.add_argument("--peers", type=Path, help="the Python of an environment with the peers")
    options = parser.parse_args()
    if not shutil.which("psql"):
        parser.exit(1, "The benchmark needs psql: apt-get install postgresql-client\n")
    return options


def _fill(flights: Path | None, times: int) -> int:
    """Make the tables that are carried; returns the rows of the large one."""
    source = f"read_parquet('{flights.resolve()}')" if flights else RANDOM
    rows = f"SELECT {', '.join(COLUMNS)} FROM {source}"
    with _warehouse().change() as change:
        for time_ in range(times):
            _append(change, TABLE, rows, f"flights{time_}")
        _append(change, "few", f"{rows} LIMIT {PEER_ROWS}", "few")
    with _warehouse().snapshot(TABLE) as made:
        return made.rows


def _warehouse() -> "Warehouse":
    from transfers import warehouses

    return warehouses.connect(os.environ["WAREHOUSE_URL"])


def _append(change: Any, table: str, rows: str, key: str) -> None:
    read: pa.RecordBatchReader = duckdb.connect().sql(rows).to_arrow_reader(100_000)
    change.append(table, read.schema, read, key)


def _transfer(*program: str) -> dict[str, float]:
    """Seconds of each phase, and the memory of the process that ran it in MB."""
    from transfers.models import Transfer

    _settle()
    with subprocess.Popen([sys.executable, *program, "transfer", "--force", TABLE]) as process:
        memory = most_memory(process)
    assert process.returncode == 0, "the transfer failed"
    return {**Transfer.objects.filter(table=TABLE).latest("pk").seconds, "MB": memory}


def _seconds(run: Callable[..., object], *arguments: Any) -> float:
    began = time.monotonic()
    run(*arguments)
    return time.monotonic() - began


def _settle() -> None:
    """Write what earlier runs left to be written, so that no run pays for another."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


def _copied(file: Path) -> float:
    """Seconds of `psql` for the same rows, columns, indexes and statistics."""
    from flights.models import PublishedTable

    relation = PublishedTable.objects.get(table=TABLE).current.relation
    if not file.exists():
        _psql(f"\\copy (SELECT * FROM {relation} ORDER BY id) TO '{file}' (FORMAT csv)\n")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT LIKE '%%pkey'",
            [relation],
        )
        names = [definition.partition(" USING ")[2] for (definition,) in cursor.fetchall()]
    indexes = " ".join(f"CREATE INDEX ON copied USING {name};" for name in names)
    _settle()
    return _seconds(_psql, COPIED.format(relation=relation, file=file, indexes=indexes))


def _run(command: Sequence[str | Path], **options: Any) -> None:
    subprocess.run(command, check=True, **options)


def _psql(script: str) -> None:
    command = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", os.environ["DATABASE_URL"]]
    _run(command, input=script, text=True)


def _peers(python: Path) -> dict[str, float]:
    """Seconds of each for `PEER_ROWS`."""
    return {
        name: _seconds(_run, [python, "-m", f"benchmarks.peers.{script}"])
        for name, script in PEERS.items()
    }


def _show(
    rows: int,
    transfers: list[dict[str, float]],
    unhashed: list[dict[str, float]],
    copies: list[float],
    peers: dict[str, float],
) -> None:
    phases = [name for name in PHASES if name in transfers[0]]
    whole, without = _sum(transfers, phases), _sum(unhashed, phases)
    dictionary, copied = _middle(unhashed, DICTIONARY), statistics.median(copies)
    table = Table(
        "", "rows/s", "of \\copy", title=f"{rows:,} rows; medians of {len(copies)}", min_width=60
    )
    for name, count, seconds in [
        ("psql \\copy, same columns and indexes", rows, copied),
        ("transfer without row hash and dictionary", rows, without - dictionary),
        ("transfer without row hash", rows, without),
        ("transfer, verified and published", rows, whole),
        *((name, PEER_ROWS, seconds) for name, seconds in peers.items()),
    ]:
        rate = count / seconds
        table.add_row(name, f"{rate:,.0f}", f"{rate / (rows / copied):.0%}")
    console = Console(width=100)
    console.print(table)
    for kind, found in (("seconds", transfers), ("without row hash", unhashed)):
        console.print(f"{kind}:", ", ".join(f"{n} {_middle(found, n):.1f}" for n in phases))
    most = max(t["MB"] for t in transfers)
    console.print(f"row hash {whole - without:.1f} s; memory of a transfer's process {most:.0f} MB")
    server, *_ = connection.get_database_version()
    console.print(f"PostgreSQL {server}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def _middle(found: list[dict[str, float]], phase: str) -> float:
    return statistics.median(one[phase] for one in found)


def _sum(found: list[dict[str, float]], phases: list[str]) -> float:
    return statistics.median(sum(one[phase] for phase in phases) for one in found)


if __name__ == "__main__":
    main()
