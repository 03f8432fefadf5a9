"""Load a table with dlt: Arrow tables from the Databricks connector, written by COPY."""

import os
import tempfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import dlt

from .warehouse import connect

BATCH = 100_000  # rows


@dlt.resource(name="few_by_dlt", write_disposition="replace")
def few() -> Iterator[Any]:
    with connect() as warehouse, warehouse.cursor() as cursor:
        cursor.execute("SELECT * FROM few")
        while (rows := cursor.fetchmany_arrow(BATCH)).num_rows:
            yield rows


def main() -> None:
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"  # sends nothing to other hosts
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "benchmark",
            destination=dlt.destinations.postgres(address()),
            dataset_name="by_dlt",
            pipelines_dir=folder,
        )
        # "csv" makes dlt use COPY; by default it writes INSERT statements.
        pipeline.run(few(), loader_file_format="csv").raise_on_failed_jobs()


def address() -> str:
    """DATABASE_URL with a host and a password, which dlt requires; libpq prefers "?host="."""
    url = urlsplit(os.environ["DATABASE_URL"])
    host = f"{url.hostname or 'localhost'}:{url.port or 5432}"
    login = f"{url.username}:{url.password or 'none'}"
    return urlunsplit(url._replace(netloc=f"{login}@{host}"))


if __name__ == "__main__":
    main()
