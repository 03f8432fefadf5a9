"""dlt loads a resource of Arrow tables, as the Databricks connector fetches them, by COPY."""

import os
import tempfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import dlt

from .warehouse import connect

FETCHED = 100_000  # rows


@dlt.resource(name="few_by_dlt", write_disposition="replace")
def few() -> Iterator[Any]:
    with connect() as warehouse, warehouse.cursor() as cursor:
        cursor.execute("SELECT * FROM few")
        while (rows := cursor.fetchmany_arrow(FETCHED)).num_rows:
            yield rows


def main() -> None:
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"  # it would tell another host
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "benchmark",
            destination=dlt.destinations.postgres(address()),
            dataset_name="by_dlt",
            pipelines_dir=folder,
        )
        # Files for COPY; by default it writes INSERT statements.
        pipeline.run(few(), loader_file_format="csv").raise_on_failed_jobs()


def address() -> str:
    """DATABASE_URL with a host and a password, as dlt asks for both; libpq prefers "?host="."""
    url = urlsplit(os.environ["DATABASE_URL"])
    where = f"{url.hostname or 'localhost'}:{url.port or 5432}"
    login = f"{url.username}:{url.password or 'none'}"
    return urlunsplit(url._replace(netloc=f"{login}@{where}"))


if __name__ == "__main__":
    main()
