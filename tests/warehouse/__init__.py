"""A SQL warehouse for tests: it speaks the wire protocol of Databricks and runs SQL in DuckDB.

`python -m tests.warehouse --folder FOLDER` serves it on loopback and prints its WAREHOUSE_URL.
Tests start one with `tests.warehouse.running`.
"""
