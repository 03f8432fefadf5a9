"""A SQL warehouse for tests that speaks the wire protocol of Databricks, with DuckDB behind it.

`python -m tests.warehouse --folder FOLDER` serves one on loopback and prints its WAREHOUSE_URL.
Tests take theirs from `tests.warehouse.running`.
"""
