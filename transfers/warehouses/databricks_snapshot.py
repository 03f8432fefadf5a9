"""One Delta table of Databricks at one version, with the changes since an earlier one."""

from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa

from transfers.exceptions import WarehouseError

from . import databricks_history as history
from . import spark_snapshot
from . import spark_sql as sql
from .databricks_address import Address
from .databricks_session import Session


class Snapshot(spark_snapshot.Snapshot):
    """One table at the version that was current on opening. Implements `warehouses.Snapshot`."""

    def __init__(
        self, session: Session, address: Address, table: str, json: Collection[str] = ()
    ) -> None:
        with history.pinning(table):
            self._number, version = history.current(session, address, table)
            pinned = f"{sql.table(table)} VERSION AS OF {self._number}"
            super().__init__(session, table, pinned, version, json)

    def changes(
        self, columns: Sequence[str], key: Sequence[str], since: str
    ) -> Iterator[pa.RecordBatch]:
        if since not in history.versions(self._session, self._table):
            raise WarehouseError(f"{self._table} was created again after version {since}.")
        first = int(since.split()[0]) + 1
        feed = f"table_changes({sql.text(self._table)}, {first}, {self._number})"
        query = sql.changes(self._columns.select(columns), list(key), feed)
        schema = self._schema(columns).append(pa.field("is_deleted", pa.bool_()))
        return self._session.batches(query, schema)
