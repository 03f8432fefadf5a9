"""Compare the ingest of a monthly file of the DOT with other readers of CSV.

The file has the DOT's 109 columns and random flights. Each reader reads the same 26 columns; only
AirSense checks every line and value, and gives typed columns. Each runs in a process of its own.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

from benchmarks import report
from benchmarks.peers.gateways import BIN
from benchmarks.target import Target
from tests.platform import most_memory
from transfers.ingest import mapping

ROWS = 500_000
RUNS = 3
FORM = "DOT monthly file since 2018"
# Each reader, its name in the table, and the Python that has it.
READERS = {
    "airsense": ("AirSense: reads and checks", Path(sys.executable)),
    "ingest": ("AirSense: `ingest` into the embedded warehouse", Path(sys.executable)),
    "duckdb": ("DuckDB `read_csv`", Path(sys.executable)),
    "polars": ("polars `read_csv`", BIN / "python"),
    "pyarrow": ("pyarrow `read_csv`", BIN / "python"),
}
# Random values of each kind of column.
VALUES = {
    "FlightDate": "CAST(DATE '2008-04-01' + CAST(id % 30 AS INTEGER) AS VARCHAR)",
    "Reporting_Airline": "'\"' || CAST(hash(id) % 20 + 10 AS VARCHAR) || '\"'",
    "Flight_Number_Reporting_Airline": "'\"' || CAST(hash(id + 1) % 7000 AS VARCHAR) || '\"'",
    "Tail_Number": "'\"N' || CAST(hash(id + 2) % 5000 AS VARCHAR) || 'AA\"'",
    "Origin": "'\"' || CAST(hash(id + 3) % 287 + 100 AS VARCHAR) || '\"'",
    "Dest": "'\"' || CAST(hash(id + 5) % 287 + 100 AS VARCHAR) || '\"'",
    "OriginCityName": "'\"City ' || CAST(hash(id + 3) % 287 AS VARCHAR) || ', TX\"'",
    "DestCityName": "'\"City ' || CAST(hash(id + 5) % 287 AS VARCHAR) || ', CA\"'",
    "CancellationCode": "'\"\"'",
    "Cancelled": "'0.00'",
    "Diverted": "'0.00'",
    "Distance": "CAST(100 + hash(id + 3) % 2000 AS VARCHAR) || '.00'",
}
TIME = "'\"' || lpad(CAST(hash(id + {n}) % 24 AS VARCHAR), 2, '0') || '35\"'"
MINUTES = "CAST(CAST(hash(id + {n}) % 90 AS INTEGER) - 15 AS VARCHAR) || '.00'"


def run(target: Target, seconds: float) -> list[str]:
    columns = _columns()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "flights.csv"
        _write(file, columns)
        megabytes = file.stat().st_size / 1e6
        lines = [_line(reader, file, megabytes, columns) for reader in READERS]
    return [
        f"{ROWS:,} flights in {megabytes:.0f} MB; {len(columns)} of 110 columns are read. Medians"
        f" of {RUNS}.",
        "",
        *report.table(["reader", "rows/s", "MB/s", "CPU s", "memory"], lines),
    ]


def _columns() -> list[str]:
    """Return the columns of the file that AirSense reads."""
    form = next(form for form in mapping.forms() if form.name == FORM)
    return [form.names(column)[0] for column in form.columns]


def _write(file: Path, columns: list[str]) -> None:
    """Write random flights, with empty columns up to the DOT's number."""
    values = ", ".join(f"{_value(name, number)} AS {name}" for number, name in enumerate(columns))
    others = [f"Other{number}" for number in range(109 - len(columns))]
    names = ", ".join(f"'0' AS {name}" for name in others)
    line = " || ',' || ".join([*columns, *others, "''"])
    sql = f"SELECT {line} FROM (SELECT {values}, {names} FROM range({ROWS}) AS r(id))"
    rows = duckdb.connect().sql(sql)
    with file.open("w") as out:
        out.write(",".join([*columns, *others, ""]) + "\n")
        for batch in rows.to_arrow_reader(50_000):
            out.write("\n".join(batch[0].to_pylist()) + "\n")


def _value(name: str, number: int) -> str:
    """Return SQL for the text of a column."""
    template = TIME if name.startswith("CRS") and name.endswith("Time") else MINUTES
    return VALUES.get(name) or template.format(n=number)


def _line(reader: str, file: Path, megabytes: float, columns: list[str]) -> list[str]:
    """Run a reader RUNS times; return its line of the table."""
    name, python = READERS[reader]
    command: list[str | Path] = [
        python,
        "-m",
        "benchmarks.peers.csv_readers",
        reader,
        file,
        *columns,
    ]
    runs = [_run(command) for _ in range(RUNS)]
    seconds, cpu = (statistics.median(run[part] for run in runs) for part in (0, 1))
    memory = max(memory for *_, memory in runs)
    rates = [report.number(ROWS / seconds), report.number(megabytes / seconds)]
    return [name, *rates, f"{cpu:.1f}", f"{memory:,.0f} MB"]


def _run(command: list[str | Path]) -> tuple[float, float, int]:
    """Return the seconds and CPU seconds of a reader, and the most memory (MB) of its process."""
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "airsense.settings"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as process:
        memory = most_memory(process)
        assert process.stdout is not None
        rows, seconds, cpu = process.stdout.read().split()
    assert (process.returncode, int(rows)) == (0, ROWS), command
    return float(seconds), float(cpu), memory
