"""Translate the connector's exceptions to those of `transfers.exceptions`."""

import re

import pyarrow as pa
import urllib3
from databricks.sql import exc

from transfers.exceptions import (
    WarehouseBusy,
    WarehouseError,
    WarehouseStarting,
    WarehouseUnavailable,
)

# What the connector raises. IndexError: on closing a cursor after certain failed requests;
# AssertionError: if a result file has fewer rows than announced.
CAUGHT = (
    exc.Error,
    urllib3.exceptions.HTTPError,
    pa.ArrowException,
    OSError,
    IndexError,
    AssertionError,
)

STARTING = re.compile("TEMPORARILY_UNAVAILABLE|has not been initialized|MaxRetryDuration| 503")
BUSY = re.compile(r"\[(DELTA_)?(CONCURRENT|PROTOCOL_CHANGED|METADATA_CHANGED)")
REFUSED = re.compile(r"\[(INSUFFICIENT_PERMISSIONS|PERMISSION_DENIED|INSUFFICIENT_PRIVILEGES)")
SIGNATURE = re.compile(r"\?[^\s'\"()]*")  # of signed links, which give anybody access


def failure(error: Exception, host: str) -> WarehouseError:
    """Return the error to raise instead of the connector's. Its message contains no secrets."""
    cause = _cause(error)
    message = SIGNATURE.sub("", str(error).strip().partition("\n")[0])[:500] or type(error).__name__
    code = getattr(error, "context", {}).get("http-code")
    if isinstance(error, exc.ServerOperationError):
        return _of_statement(message)
    if code in (401, 403):
        return WarehouseError(
            f"{host} refused the credentials: HTTP {code}.",
            advice="Check DATABRICKS_TOKEN (or the client id and secret) and its permissions.",
        )
    if code in (400, 404):
        return WarehouseError(
            f"{host} does not have this warehouse: {message}",
            advice="Check http_path in WAREHOUSE_URL.",
        )
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return WarehouseError(
            f"The certificate of {host} is not trusted.",
            advice="Set DATABRICKS_CA_FILE to the certificate of its authority.",
        )
    if isinstance(cause, exc.MaxRetryDurationError) or STARTING.search(message):
        return WarehouseStarting(f"{host} is still starting: {message}")
    return WarehouseUnavailable(
        f"{host} did not respond correctly: {message}", advice="Try again later."
    )


def _of_statement(message: str) -> WarehouseError:
    if BUSY.search(message):
        return WarehouseBusy(message, advice="Try again when the other change has finished.")
    advice = (
        "Grant the permissions listed in docs/databricks.md." if REFUSED.search(message) else ""
    )
    return WarehouseError(message, advice=advice)


def _cause(error: Exception) -> object:
    return error.args[1] if len(error.args) > 1 else error.__cause__
