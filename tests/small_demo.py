"""A demo file with few flights, at the path where commands look for the demo's flights."""

from pathlib import Path

import pyarrow.parquet as pq

from transfers import demo


def make(folder: Path, flights: int = 1_000) -> None:
    folder.mkdir(parents=True)
    pq.write_table(demo.records().slice(0, flights), folder / demo.NAME)
