"""Translate the connector's exceptions to those of `transfers.exceptions`."""

import re

import pyarrow as pa
import urllib3
from databricks.sql import exc

from transfers.exceptions import (
    StorageUnavailable,
    VersionRemoved,
    WarehouseBusy,
    WarehouseError,
    WarehouseStarting,
    WarehouseUnavailable,
)

# What the connector raises. IndexError: on closing a cursor after certain failed requests;
# AssertionError: if a result file has fewer rows than announced; RuntimeError: if a result is not
# compressed with LZ4, or is cut.
CAUGHT = (
    exc.Error,
    urllib3.exceptions.HTTPError,
    pa.ArrowException,
    OSError,
    IndexError,
    AssertionError,
    RuntimeError,
)
NOT_A_RESULT = (pa.ArrowException, AssertionError, RuntimeError)

STARTING = re.compile("TEMPORARILY_UNAVAILABLE|has not been initialized|MaxRetryDuration| 503")
BUSY = re.compile(r"\[(DELTA_)?(CONCURRENT|PROTOCOL_CHANGED|METADATA_CHANGED)")
REFUSED = re.compile(r"\[(INSUFFICIENT_PERMISSIONS|PERMISSION_DENIED|INSUFFICIENT_PRIVILEGES)")
# VACUUM deleted the files of a version, or the log does not have it any more.
REMOVED = re.compile(
    "DELTA_FILE_NOT_FOUND|FILE_NOT_EXIST|DELTA_VERSION_NOT_FOUND|BEYOND_DELETED_FILE_RETENTION"
)
TIMED_OUT = re.compile(r"STATEMENT_TIMEOUT|TIMEOUT_EXCEEDED|timed ?out", re.IGNORECASE)
BLOCKED = re.compile("IP ACL|IP access list|Source IP|network access|network policy", re.IGNORECASE)
UNREACHABLE_HOST = re.compile(r"host='([^']+)'")  # in urllib3's messages
SIGNATURE = re.compile(r"\?[^\s'\"()]*")  # of signed links, which give anybody access


def failure(error: Exception, host: str) -> WarehouseError:
    """Return the error to raise instead of the connector's. Its message contains no secrets."""
    text = str(error).strip()
    message = SIGNATURE.sub("", text.partition("\n")[0])[:500] or type(error).__name__
    code = getattr(error, "context", {}).get("http-code")
    if isinstance(error, exc.ServerOperationError):
        return _of_statement(message)
    if code in (401, 403):
        return not_allowed(host, code, text)
    if code in (400, 404):
        return WarehouseError(
            f"{host} does not have this warehouse: {message}",
            advice="Check http_path in WAREHOUSE_URL.",
        )
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return WarehouseError(
            f"The certificate of {host} is not trusted.",
            advice="Set DATABRICKS_CA_FILE to the certificate of its authority.",
        )
    if isinstance(_cause(error), exc.MaxRetryDurationError) or STARTING.search(message):
        return WarehouseStarting(f"{host} is still starting: {message}")
    return _of_connection(error, host, message)


def not_allowed(host: str, code: int, text: str) -> WarehouseError:
    """Return the error for HTTP 401 or 403, by what the response says."""
    if BLOCKED.search(text):
        return WarehouseError(
            f"{host} does not accept connections from this machine's IP address: HTTP {code}.",
            advice="Add the address to the workspace's IP access list; the credentials were not"
            " checked.",
        )
    return WarehouseError(
        f"{host} refused the credentials: HTTP {code}.",
        advice="Check DATABRICKS_TOKEN (or the client id and secret) and its permissions.",
    )


def _of_connection(error: Exception, host: str, message: str) -> WarehouseError:
    unreachable = UNREACHABLE_HOST.search(str(error))
    if unreachable and unreachable[1] != host:
        return StorageUnavailable(
            f"The storage of results, {unreachable[1]}, did not respond.",
            advice="Let the workers connect to it, or set DATABRICKS_CLOUDFETCH=false: results then"
            f" come from {host} itself, more slowly.",
        )
    if isinstance(error, NOT_A_RESULT):
        return WarehouseUnavailable(
            f"A response for {host} is not a result, but a part of one or another page: {message}",
            advice="Check the proxy between the workers and Databricks; or try again later.",
        )
    return WarehouseUnavailable(
        f"{host} did not respond correctly: {message}", advice="Try again later."
    )


def _of_statement(message: str) -> WarehouseError:
    if BUSY.search(message):
        return WarehouseBusy(message, advice="Try again when the other change has finished.")
    if REMOVED.search(message):
        return VersionRemoved(
            message, advice="VACUUM removed the version: keep deleted files for a day or longer."
        )
    if TIMED_OUT.search(message):
        return WarehouseError(
            message,
            advice="Raise STATEMENT_TIMEOUT of the SQL warehouse or workspace, or use a larger"
            " warehouse.",
        )
    advice = (
        "Grant the permissions listed in docs/databricks.md." if REFUSED.search(message) else ""
    )
    return WarehouseError(message, advice=advice)


def _cause(error: Exception) -> object:
    return error.args[1] if len(error.args) > 1 else error.__cause__
