"""Translate the errors of the Spark Connect driver to those of `transfers.exceptions`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import adbc_driver_manager
import pyarrow as pa

from transfers.exceptions import WarehouseBusy, WarehouseError, WarehouseUnavailable

from .spark_address import Address

CAUGHT = (adbc_driver_manager.Error, pa.ArrowException, OSError)
# The server does not respond, or was restarted and has lost the session.
UNAVAILABLE = re.compile(
    r"connection error|Vendor code: 14\b|UNAVAILABLE|EOF|connection reset"
    r"|INVALID_HANDLE\.(SESSION|OPERATION)|RST_STREAM|transport is closing"
)
REFUSED = re.compile(r"Vendor code: (16|7)\b|UNAUTHENTICATED|PERMISSION_DENIED")
EXISTS = "ALREADY_EXISTS"
MISSING = "TABLE_OR_VIEW_NOT_FOUND"


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Translate the driver's exceptions to those of `transfers.exceptions`."""
    try:
        yield
    except CAUGHT as error:
        raise failure(error, address) from None


def failure(error: Exception, address: Address) -> WarehouseError:
    """Return the error to raise instead of the driver's."""
    text = str(error).strip()
    message = text.partition("\n")[0].partition(" SQLSTATE")[0][:500]
    if REFUSED.search(text):
        return WarehouseError(
            f"{address.host} refused the credentials or the statement: {message}",
            advice="Check SPARK_TOKEN and its permissions.",
        )
    if getattr(error, "status_code", None) == adbc_driver_manager.AdbcStatusCode.IO or (
        UNAVAILABLE.search(text)
    ):
        return WarehouseUnavailable(
            f"Spark at {address.host}:{address.port} did not respond correctly: {message}",
            advice="Start it (docs/spark.md), or try again later.",
        )
    if "SCHEMA_NOT_FOUND" in text:
        return WarehouseError(message, advice=f"Create it: CREATE SCHEMA {address.namespace}.")
    if EXISTS in text:
        return WarehouseBusy(message, advice="Try again when the other change has finished.")
    return WarehouseError(message)
