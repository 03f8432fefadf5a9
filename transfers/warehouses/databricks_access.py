"""Connect to a Databricks SQL warehouse, and wait for it to start.

The connector's own retries are limited: it would wait a minute at each 503 response.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from transfers.exceptions import WarehouseStarting, WarehouseUnavailable

from . import spark_settings
from .databricks_address import Address
from .databricks_connector import Connection
from .databricks_failures import CAUGHT, failure
from .databricks_login import ServicePrincipal, Token, login

POLL_SECONDS = 1.0  # between two checks whether the warehouse has started
# Compressed result files in memory, of about 20 MB each: one is read, the next is downloaded.
DOWNLOADS = 2

RETRIES: dict[str, Any] = {
    "_retry_delay_min": 0.2,
    "_retry_delay_max": 5,  # seconds; the connector waits as long after each 503
    "_retry_stop_after_attempts_count": 5,
    "_retry_stop_after_attempts_duration": 60,
    "_socket_timeout": 180,  # seconds; at the default of 900, a lost connection looks merely slow
}
# A starting warehouse responds with 503. `_wait` handles this, and notifies the user.
NO_RETRIES = RETRIES | {
    "_retry_stop_after_attempts_count": 1,
    "_retry_stop_after_attempts_duration": 1,
}


class Access:
    """Opens connections to one warehouse. The first one waits until the warehouse has started."""

    def __init__(self, address: Address, notify: Callable[[str], object]) -> None:
        self.address, self._notify = address, notify
        self.login: ServicePrincipal | Token = login(address.url)
        self._up = False

    def connect(self, *, again: bool = False) -> Connection:
        """Connect; `again` after a lost connection, as the warehouse may have stopped since."""
        if again or not self._up:
            self._wait()
        return self._connect(RETRIES)

    def _wait(self) -> None:
        """Wait for the warehouse; WarehouseUnavailable after WAREHOUSE_START_TIMEOUT seconds."""
        deadline, notified = time.monotonic() + settings.WAREHOUSE_START_TIMEOUT, False
        self._up = False
        while not self._up:
            try:
                self._probe()
                self._up = True
            except WarehouseStarting as error:
                if time.monotonic() > deadline:
                    raise WarehouseUnavailable(
                        f"The warehouse did not start within {settings.WAREHOUSE_START_TIMEOUT} s.",
                        advice="Check it in Databricks, or raise WAREHOUSE_START_TIMEOUT.",
                    ) from error
                if not notified:
                    self._notify("waiting for the warehouse to start")
                notified = True
                time.sleep(POLL_SECONDS)

    def _probe(self) -> None:
        """Check the settings of a session; WarehouseStarting while the warehouse is starting."""
        self.login.headers()  # first, as it reports wrong credentials best
        with (
            translated(self.address),
            closing(self._connect(NO_RETRIES)) as connection,
            closing(connection.cursor()) as cursor,
        ):
            # A session may open before the warehouse is ready.
            cursor.execute(spark_settings.QUERY)
            (row,) = cursor.fetchall_arrow().to_pylist()
        spark_settings.check(row)

    def _connect(self, retries: dict[str, Any]) -> Connection:
        parts = urlsplit(self.address.url)
        target: dict[str, Any] = {"_port": parts.port}
        if parts.scheme == "http":
            target = {"_connection_uri": f"{self.address.url}{self.address.http_path}"}
        with translated(self.address):
            return Connection(
                server_hostname=self.address.host if parts.scheme == "https" else self.address.url,
                http_path=self.address.http_path,
                catalog=self.address.catalog,
                schema=self.address.schema,
                credentials_provider=self.login,
                session_configuration=spark_settings.DATABRICKS,
                user_agent_entry="AirSense",
                enable_telemetry=False,
                use_cloud_fetch=settings.DATABRICKS_CLOUDFETCH,
                max_download_threads=DOWNLOADS,
                _tls_trusted_ca_file=settings.DATABRICKS_CA_FILE or None,
                _disable_pandas=True,
                **target,
                **retries,
            )


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Translate the connector's exceptions, and hide the originals: they may show signed links."""
    try:
        yield
    except CAUGHT as error:
        raise failure(error, address.host) from None


@contextmanager
def closing(resource: Any) -> Iterator[Any]:
    """Close a cursor or connection at the end; ignore errors, as the server may be down."""
    try:
        yield resource
    finally:
        with suppress(*CAUGHT):
            resource.close()
