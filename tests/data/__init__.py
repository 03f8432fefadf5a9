"""Flight records for tests; README.md describes them."""

from pathlib import Path

FLIGHTS_2008 = Path(__file__).with_name("flights-2008.parquet")
