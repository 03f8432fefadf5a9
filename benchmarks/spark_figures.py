"""Measure how long Spark takes for the figures of five DOUBLE columns: `make bench-spark`.

Starts the Spark of the tests, on two cores. Spark has no function for the bits of a float, so these
are the most expensive columns to verify.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import django
import pyarrow as pa
from rich.console import Console

from tests.processes import cpu_seconds

if TYPE_CHECKING:
    from transfers.warehouses.spark_session import Session

ROWS = 2_389_217  # as many as the national flights of January to April 2008
SCHEMA = pa.schema([(f"f{number}", pa.float64()) for number in range(5)])
# All exponents of a DOUBLE, and both signs.
VALUE = "randn({0}) * power(2e0, CAST(rand({0}) * 2040 - 1020 AS INT)) AS f{0}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help=f"default: {ROWS}")
    parser.add_argument("--runs", type=int, default=3, help="runs of each (default: 3)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "airsense.settings")
    django.setup()
    from tests.spark_server import running
    from transfers.warehouses.spark_address import Address
    from transfers.warehouses.spark_session import Session

    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as server,
        Session(Address.of(server.url)) as session,
    ):
        values = ", ".join(VALUE.format(number) for number in range(len(SCHEMA)))
        query = f"SELECT {values} FROM range({options.rows})"
        session.execute(f"CREATE TABLE floats USING parquet AS {query}")
        for name, compute in _computations(session).items():
            for seconds, cpu in _runs(compute, server.process, options.runs):
                Console().print(
                    f"{name} of {options.rows:,} rows: {seconds:.1f} s, {cpu:.1f} s of CPU time"
                )


def _computations(session: "Session") -> dict[str, Callable[[], object]]:
    from transfers.warehouses.spark_figures import DIALECT
    from transfers.warehouses.spark_snapshot import Snapshot

    floats = Snapshot(session, "floats", "floats", "1")
    query = DIALECT.hash_query(SCHEMA, SCHEMA.names, "floats")
    return {
        "hash": lambda: session.run(query),
        "all figures": lambda: floats.figures(SCHEMA, SCHEMA.names),
    }


def _runs(compute: Callable[[], object], server: int, number: int) -> Iterator[tuple[float, float]]:
    """Yield the seconds of each run, and the CPU seconds of the server."""
    for _ in range(number):
        began, used = time.monotonic(), cpu_seconds(server)
        compute()
        yield time.monotonic() - began, cpu_seconds(server) - used


if __name__ == "__main__":
    main()
