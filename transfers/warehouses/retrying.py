"""Repeat a query if the connection to the warehouse fails, from the row where it stopped."""

import time
from collections.abc import Callable, Iterator
from typing import Protocol

from transfers.exceptions import StorageUnavailable, WarehouseUnavailable

ATTEMPTS = 3  # to run a statement, as long as the caller has received no rows, or can continue
SECONDS = 1.0  # between two attempts


class Rows(Protocol):
    """A table or a batch of Arrow."""

    @property
    def num_rows(self) -> int: ...


def read[T: Rows](
    statement: str,
    run: Callable[[str], Iterator[T]],
    reconnect: Callable[[], object],
    *,
    is_ordered: bool,
) -> Iterator[T]:
    """Yield the parts of a result; `run` runs a statement once.

    `is_ordered`: a second run has the same rows at the same places, so it can skip the rows that
    the caller has received. Otherwise a query is not repeated after its first rows.
    """
    rows = failures = 0
    while True:
        try:
            for part in run(f"{statement} OFFSET {rows}" if rows else statement):
                rows, failures = rows + part.num_rows, 0
                yield part
            return
        except StorageUnavailable:  # Databricks' connector has retried, for many seconds
            raise
        except WarehouseUnavailable:
            failures += 1
            if failures == ATTEMPTS or (rows and not is_ordered):
                raise
        time.sleep(SECONDS)
        reconnect()
