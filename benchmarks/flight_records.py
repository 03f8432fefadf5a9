"""Flights to measure with: random raw records, and the rows of `flight_delay_data` from a file."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa

from transfers.ingest.raw_columns import COLUMNS

# Random values of the raw records, by type and by position.
RANDOM = {
    pa.date32(): "DATE '2008-01-01' + CAST(id % 121 AS INTEGER)",
    pa.string(): "'Name ' || (hash(id + {n}) % 287)",
    pa.int32(): "CAST(hash(id + {n}) % 90 AS INTEGER) - 15",
    pa.bool_(): "hash(id + {n}) % 50 = 0",
}
RANDOM_TIMES = dict.fromkeys(
    ("Scheduled_Departure", "Scheduled_Arrival"), "lpad(CAST(id % 24 AS VARCHAR), 2, '0') || ':30'"
)


def random(file: Path) -> Path:
    """Write random raw records."""
    values = [
        f"{RANDOM_TIMES.get(name, RANDOM[type_]).format(n=number)} AS {name}"
        for number, (name, type_) in enumerate(COLUMNS.items())
    ]
    rows = f"SELECT {', '.join(values)} FROM range(2400000) AS r(id)"
    duckdb.connect().execute(f"COPY ({rows}) TO '{file}' (FORMAT parquet)")
    return file


def built(flights: Path, folder: Path) -> Path:
    """Build `flight_delay_data` from raw records in an embedded warehouse; returns its file."""
    env = {**os.environ, "WAREHOUSE_URL": f"duckdb://{folder}/embedded"}
    for arguments in (["ingest", str(flights)], ["broker"]):
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    file = folder / "built.parquet"
    with duckdb.connect(str(folder / "embedded" / "warehouse.duckdb"), read_only=True) as warehouse:
        warehouse.execute(f"COPY flight_delay_data TO '{file}' (FORMAT parquet)")
    return file
