"""Compare a transfer from a SQL warehouse with psql and other tools: `make bench-transfer`.

A separate platform transfers and publishes `flight_delay_data` from the tests' SQL warehouse, which
speaks Databricks' protocol on loopback. `psql` loads the same rows from a CSV file into the same
columns and indexes by \\copy. Other tools load fewer rows, as they are usually used. The rows come
from a Parquet file, or are 2.4 million random ones.
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

from benchmarks import flight_records
from tests import servers  # noqa: F401  # points this process to a new database
from tests.platform import most_memory
from tests.processes import cpu_seconds, cpu_seconds_of_ended_children, parent
from tests.warehouse.running import running

if TYPE_CHECKING:
    from transfers.warehouses import Warehouse

TABLE = "flight_delay_data"
COPY = (
    "SET client_min_messages = warning; DROP TABLE IF EXISTS copied;"
    " CREATE TABLE copied (LIKE {relation});\n\\copy copied FROM '{file}' (FORMAT csv)\n"
    "ALTER TABLE copied ADD PRIMARY KEY (id); {indexes} ANALYZE copied;"
)
PEERS = {"pandas to_sql": "to_sql", "dlt": "dlt_pipeline"}
FILE_ROWS = 100_000  # rows per result file: about 20 MB, like those of Databricks
PHASES = [
    *("reading", "copying", "indexing", "making the dictionary"),
    *("verifying", "checking", "publishing"),
]
PARTIES = ("PostgreSQL", "the transfer", "the warehouse")
PEER_ROWS = 200_000  # fewer rows for slow tools; only rates are compared


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "warehouse") as server:
        os.environ.update({**server.env, "DJANGO_SETTINGS_MODULE": "airsense.settings"})
        django.setup()
        _run([sys.executable, "manage.py", "setup"])
        server.set(file_rows=FILE_ROWS)
        flights = options.flights or flight_records.random(Path(folder) / "random.parquet")
        rows = _fill(flight_records.built(flights, Path(folder)), options.times)
        transfers, unhashed, copies = [], [], []
        for _ in range(options.runs):  # alternate, because a machine's speed varies over time
            transfers.append(_transfer(server.process, "manage.py"))
            unhashed.append(_transfer(server.process, "-m", "benchmarks.unhashed"))
            copies.append(_copy_seconds(Path(folder) / "rows.csv"))
        peers = _peers(options.peers) if options.peers else {}
        megabytes = (Path(folder) / "rows.csv").stat().st_size / 1e6
        _show(rows, megabytes, transfers, unhashed, copies, peers)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flights", type=Path, help="a Parquet file")
    parser.add_argument("--times", type=int, default=1, help="repeat the rows (default: 1)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--peers", type=Path, help="Python of an environment with the other tools")
    options = parser.parse_args()
    if not shutil.which("psql"):
        parser.exit(1, "The benchmark needs psql: apt-get install postgresql-client\n")
    return options


def _fill(built: Path, times: int) -> int:
    """Fill the warehouse's tables; return the number of rows of the large one."""
    rows = f"SELECT * FROM read_parquet('{built}')"
    with _warehouse().change() as change:
        for repeat in range(times):
            _append(change, TABLE, rows, f"flights{repeat}")
        _append(change, "few", f"{rows} LIMIT {PEER_ROWS}", "few")
    with _warehouse().snapshot(TABLE) as snapshot:
        return snapshot.rows


def _warehouse() -> "Warehouse":
    from transfers import warehouses

    return warehouses.connect(os.environ["WAREHOUSE_URL"])


def _append(change: Any, table: str, rows: str, key: str) -> None:
    batches: pa.RecordBatchReader = duckdb.connect().sql(rows).to_arrow_reader(100_000)
    change.append(table, batches.schema, batches, key)


def _transfer(warehouse: int, *program: str) -> dict[str, float]:
    """Run a transfer; return the seconds of each phase, the peak memory ("MB") and CPU seconds.

    `warehouse` is the id of its process.
    """
    from transfers.models import Transfer

    _checkpoint()
    before = _cpu_seconds(warehouse)
    with subprocess.Popen([sys.executable, *program, "transfer", "--force", TABLE]) as process:
        memory = most_memory(process)
    assert process.returncode == 0, "the transfer failed"
    time.sleep(1)  # until PostgreSQL has ended its process of the connection
    cpu = {name: after - before[name] for name, after in _cpu_seconds(warehouse).items()}
    return {**Transfer.objects.filter(table=TABLE).latest("pk").seconds, "MB": memory, **cpu}


def _cpu_seconds(warehouse: int) -> dict[str, float]:
    """CPU seconds so far of each party to a transfer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        postgresql = parent(cursor.fetchone()[0])
    ended = cpu_seconds_of_ended_children
    seconds = (ended(postgresql), ended(os.getpid()), cpu_seconds(warehouse))
    return dict(zip(PARTIES, seconds, strict=True))


def _seconds(run: Callable[..., object], *arguments: Any) -> float:
    started_at = time.monotonic()
    run(*arguments)
    return time.monotonic() - started_at


def _checkpoint() -> None:
    """Write the pages of earlier runs to disk, so that they do not slow down the next."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


def _copy_seconds(file: Path) -> float:
    """Seconds that psql needs for the same rows, columns, indexes and statistics."""
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
    _checkpoint()
    return _seconds(_psql, COPY.format(relation=relation, file=file, indexes=indexes))


def _run(command: Sequence[str | Path], **options: Any) -> None:
    subprocess.run(command, check=True, **options)


def _psql(script: str) -> None:
    command = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", os.environ["DATABASE_URL"]]
    _run(command, input=script, text=True)


def _peers(python: Path) -> dict[str, float]:
    """Seconds of each tool for PEER_ROWS."""
    return {
        name: _seconds(_run, [python, "-m", f"benchmarks.peers.{script}"])
        for name, script in PEERS.items()
    }


def _show(
    rows: int,
    megabytes: float,
    transfers: list[dict[str, float]],
    unhashed: list[dict[str, float]],
    copies: list[float],
    peers: dict[str, float],
) -> None:
    phases = [name for name in PHASES if name in transfers[0]]
    complete, without = _sum(transfers, phases), _sum(unhashed, phases)
    copied = statistics.median(copies)
    title = f"{rows:,} rows, {megabytes:,.0f} MB of CSV; medians of {len(copies)}"
    table = Table("", "rows/s", "MB/s", "of \\copy", title=title, min_width=70)
    for name, count, seconds in [
        ("psql \\copy, same columns and indexes", rows, copied),
        ("transfer without row hash", rows, without),
        ("transfer, verified and published", rows, complete),
        *((name, PEER_ROWS, seconds) for name, seconds in peers.items()),
    ]:
        rate = count / seconds
        size = rate * megabytes / rows
        table.add_row(name, f"{rate:,.0f}", f"{size:.1f}", f"{rate / (rows / copied):.0%}")
    console = Console(width=100)
    console.print(table)
    for title, runs in (("seconds", transfers), ("without row hash", unhashed)):
        console.print(f"{title}:", ", ".join(f"{n} {_median(runs, n):.1f}" for n in phases))
    cpu = ", ".join(f"{name} {_median(transfers, name):.1f}" for name in PARTIES)
    console.print(f"seconds of CPU of a verified transfer: {cpu}")
    most = max(t["MB"] for t in transfers)
    console.print(f"row hash {complete - without:.1f} s; peak memory of a transfer {most:.0f} MB")
    server, *_ = connection.get_database_version()
    console.print(f"PostgreSQL {server}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def _median(runs: list[dict[str, float]], phase: str) -> float:
    return statistics.median(run[phase] for run in runs)


def _sum(runs: list[dict[str, float]], phases: list[str]) -> float:
    return statistics.median(sum(run[phase] for phase in phases) for run in runs)


if __name__ == "__main__":
    main()
