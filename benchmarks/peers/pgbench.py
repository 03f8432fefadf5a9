"""Measure PostgreSQL alone, the upper limit: the same queries, prepared, with pgbench."""

import re
import subprocess
from pathlib import Path

from benchmarks.queries import HIGHEST, TABLE, THRESHOLD, Query
from benchmarks.wrk import CONNECTIONS, Rate

SHAPES = 20  # combinations of columns and order; each is a prepared statement per connection
VARIABLES = f"""\\set limit random(5, 15)
\\set threshold random(0, {HIGHEST:.0f}000000) / 1000000.0
"""


def measure(database: str, queries: list[Query], seconds: float, folder: Path) -> Rate:
    files = [folder / f"{number}.sql" for number in range(SHAPES)]
    for file, query in zip(files, queries, strict=False):
        file.write_text(VARIABLES + _select(query))
    output = subprocess.run(
        [
            *("pgbench", "--no-vacuum", "--protocol=prepared", "--jobs=2"),
            *(f"--client={CONNECTIONS}", f"--time={max(1, seconds):.0f}"),
            *(f"--file={file}" for file in files),
            database,
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rate = re.search(r"tps = ([\d.]+)", output)
    assert rate, output
    no_failures = re.search(r"number of failed transactions: 0 ", output)
    assert no_failures or "failed" not in output, output
    return Rate(float(rate[1]), "")


def _select(query: Query) -> str:
    columns = ", ".join(f'"{column}"' for column in query.columns)
    direction = "DESC" if query.descending else "ASC"
    return (
        f'SELECT {columns} FROM {TABLE} WHERE "{THRESHOLD}" >= :threshold'
        f' ORDER BY "{query.order}" {direction} LIMIT :limit;\n'
    )
