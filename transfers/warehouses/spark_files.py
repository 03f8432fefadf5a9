"""Send rows to Spark in Parquet files, by a folder that this machine and the cluster share.

The parameters of statements (`spark_upload`), which need no folder, take three times as long.
"""

import time
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from transfers.exceptions import WarehouseError

from . import spark_sql as sql
from .spark_session import Session

ABANDONED_AFTER = 24 * 3_600  # seconds; longer than any process needs its file


def insert(
    session: Session, folder: Path, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> None:
    """Insert batches into a table; WarehouseError if the cluster lacks the folder."""
    file = folder / f"{table}.parquet"
    try:
        # Spark has no nanoseconds; a value that needs them is refused.
        with pq.ParquetWriter(file, schema, coerce_timestamps="us") as writer:
            for batch in batches:
                writer.write_batch(batch)
        session.execute(statement(file, table, schema))
    except WarehouseError as error:
        if "PATH_NOT_FOUND" not in str(error):
            raise
        raise WarehouseError(
            f"The cluster does not see {file}.",
            advice=f"Mount {folder} on all of its machines, or leave `files` out of WAREHOUSE_URL.",
        ) from None
    finally:
        file.unlink(missing_ok=True)


def statement(file: Path, table: str, schema: pa.Schema) -> str:
    """Return the INSERT statement that reads a file."""
    names = [sql.name(name) for name in schema.names]
    types = map(sql.type_of, schema)
    values = ", ".join(f"CAST({n} AS {type_})" for n, type_ in zip(names, types, strict=True))
    query = sql.select(values, f"parquet.{sql.name(file.as_uri())}")
    return f"INSERT INTO {sql.name(table)} ({', '.join(names)}) {query}"


def sweep(folder: Path) -> None:
    """Delete the files that killed processes left."""
    for file in folder.glob("airsense_v_*.parquet"):
        if time.time() - file.stat().st_mtime > ABANDONED_AFTER:
            file.unlink(missing_ok=True)
