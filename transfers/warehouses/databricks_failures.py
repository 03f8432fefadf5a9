"""What the connector raises, in our terms."""

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

# IndexError: closing a cursor after some failed requests; AssertionError: a file of fewer rows
# than its link says.
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
SIGNATURE = re.compile(r"\?[^\s'\"()]*")  # of links, which are good for all who have them


def failure(error: Exception, host: str) -> WarehouseError:
    """An error to raise in the place of the connector's. Its text shows no secrets."""
    cause = _cause(error)
    said = SIGNATURE.sub("", str(error).strip().partition("\n")[0])[:500] or type(error).__name__
    code = getattr(error, "context", {}).get("http-code")
    if isinstance(error, exc.ServerOperationError):
        return _of_statement(said)
    if code in (401, 403):
        return WarehouseError(
            f"{host} refused the credentials: HTTP {code}.",
            advice="Check DATABRICKS_TOKEN (or the machine's id and secret) and its permissions.",
        )
    if code in (400, 404):
        return WarehouseError(
            f"{host} has no such warehouse: {said}", advice="Check http_path in WAREHOUSE_URL."
        )
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return WarehouseError(
            f"{host} has a certificate that is not trusted.",
            advice="Name the authority's certificate in DATABRICKS_CA_FILE.",
        )
    if isinstance(cause, exc.MaxRetryDurationError) or STARTING.search(said):
        return WarehouseStarting(f"{host} is not up yet: {said}")
    return WarehouseUnavailable(
        f"{host} did not answer as it should: {said}", advice="It may do so later: try again."
    )


def _of_statement(said: str) -> WarehouseError:
    if BUSY.search(said):
        return WarehouseBusy(said, advice="Wait until the other change has ended, then try again.")
    advice = "Grant what docs/databricks.md lists." if REFUSED.search(said) else ""
    return WarehouseError(said, advice=advice)


def _cause(error: Exception) -> object:
    return error.args[1] if len(error.args) > 1 else error.__cause__
