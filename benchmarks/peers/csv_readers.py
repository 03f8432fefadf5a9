"""Read a CSV file by one reader; print the number of rows, the seconds and the CPU seconds.

python -m benchmarks.peers.csv_readers READER FILE COLUMN...
"""

import sys
import tempfile
import time
from pathlib import Path


def airsense(file: Path, columns: list[str]) -> int:
    """Read and check the file as ingest does."""
    from transfers.ingest import files, plan
    from transfers.ingest.compressed import UnpackLimit

    planned = plan.read([file])
    ((part, layout),) = planned.files[file].items()
    with files.open_records(part, layout, planned.lists, UnpackLimit(file)) as records:
        return sum(len(batch) for batch in records.batches)


def ingest(file: Path, columns: list[str]) -> int:
    """Ingest the file into an embedded warehouse."""
    from transfers import warehouses
    from transfers.ingest import raw_table

    with tempfile.TemporaryDirectory() as folder:
        warehouse = warehouses.connect(f"duckdb://{folder}/warehouse")
        return sum(file.rows for file in raw_table.ingest(warehouse, [file]))


def duckdb(file: Path, columns: list[str]) -> int:
    import duckdb

    names = ", ".join(columns)
    rows = duckdb.connect().sql(f"SELECT {names} FROM read_csv('{file}')")
    return len(rows.to_arrow_table())


def polars(file: Path, columns: list[str]) -> int:
    import polars

    return len(polars.read_csv(file, columns=columns))


def pyarrow(file: Path, columns: list[str]) -> int:
    from pyarrow import csv

    options = csv.ConvertOptions(include_columns=columns)
    return int(csv.read_csv(file, convert_options=options).num_rows)


READERS = {reader.__name__: reader for reader in (airsense, ingest, duckdb, polars, pyarrow)}


def main() -> None:
    name, file, *columns = sys.argv[1:]
    if name in ("airsense", "ingest"):
        import django

        django.setup()
    started, cpu = time.perf_counter(), time.process_time()
    rows = READERS[name](Path(file), columns)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(rows, seconds, cpu)  # noqa: T201  # the caller reads it


if __name__ == "__main__":
    main()
