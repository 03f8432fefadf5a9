"""Copy a view, or anything else without versions, into a table of the warehouse.

The table has versions, so it is read and verified like any other. It is dropped at the end. If the
process is killed before, the next transfer of any view drops it after a day.
"""

import logging
import re
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from transfers.exceptions import WarehouseError

from . import databricks_history as history
from . import spark_sql as sql
from .databricks_address import Address
from .databricks_session import Session
from .databricks_snapshot import Snapshot

log = logging.getLogger(__name__)

NAME = re.compile(history.COPY + r"(\d{14})_[0-9a-f]{32}")
TIME = "%Y%m%d%H%M%S"
ABANDONED_AFTER = timedelta(days=1)  # longer than any transfer takes
# Column names may have spaces: https://docs.databricks.com/aws/en/delta/column-mapping
PROPERTIES = "TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"


@contextmanager
def snapshot(
    session: Session, address: Address, table: str, json: Collection[str]
) -> Iterator[Snapshot]:
    """Copy a table or view by one query, and open the copy.

    The version is the hash of its rows: an unchanged source has the same version again.
    """
    _drop_abandoned_copies(session, address)
    copy = f"{history.COPY}{datetime.now(UTC):{TIME}}_{uuid.uuid4().hex}"
    query = sql.select("*", sql.table(table))
    try:
        with history.existing(session, address, table):
            session.run(f"CREATE OR REPLACE TABLE {sql.name(copy)} {PROPERTIES} AS {query}")
        source = Snapshot(session, address, copy, json)
        source.version = source.content()
        source.notes = [f"{table} was not read at a version: one query copied it in the warehouse"]
        yield source
    finally:
        _drop(session, copy)


def _drop_abandoned_copies(session: Session, address: Address) -> None:
    for table in history.tables(session, address, with_copies=True):
        match = NAME.fullmatch(table)
        if match and datetime.now(UTC) - _time(match[1]) > ABANDONED_AFTER:
            _drop(session, table)


def _drop(session: Session, table: str) -> None:
    try:
        session.run(f"DROP TABLE IF EXISTS {sql.name(table)}")
    except WarehouseError as error:  # the transfer does not fail; the next one drops the table
        log.warning("%s was not dropped: %s", table, error)


def _time(text: str) -> datetime:
    return datetime.strptime(text, TIME).replace(tzinfo=UTC)
