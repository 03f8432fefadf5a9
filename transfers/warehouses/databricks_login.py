"""Who this is to Databricks: a token, or a machine that gets one for its secret (OAuth)."""

import time
from collections.abc import Callable

import urllib3
from django.conf import settings

from transfers.exceptions import WarehouseError, WarehouseUnavailable

EARLY = 60.0  # seconds before its end in which a token is not used any more
PATIENCE = urllib3.Timeout(30.0)


class Machine:
    """A service principal. The connector asks it for headers before each of its requests."""

    def __init__(self, url: str, client: str, secret: str, ca_file: str) -> None:
        self._url, self._client, self._secret = f"{url}/oidc/v1/token", client, secret
        self._ca_file = ca_file or None
        self._headers: dict[str, str] = {}
        self._until = 0.0

    def auth_type(self) -> str:
        return "oauth-m2m"

    def __call__(self) -> Callable[[], dict[str, str]]:
        return self.headers

    def headers(self) -> dict[str, str]:
        """WarehouseError where Databricks does not know the machine or its secret."""
        if time.monotonic() > self._until:
            self._log_in()
        return self._headers

    def _log_in(self) -> None:
        asked = time.monotonic()
        headers = urllib3.make_headers(basic_auth=f"{self._client}:{self._secret}")
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        form = "grant_type=client_credentials&scope=all-apis"
        try:
            with urllib3.PoolManager(ca_certs=self._ca_file, timeout=PATIENCE) as pool:
                answer = pool.request("POST", self._url, headers=headers, body=form)
        except urllib3.exceptions.HTTPError as error:
            raise WarehouseUnavailable(
                f"No token from {self._url}: {type(error).__name__}.",
                advice="See that the host in WAREHOUSE_URL is right and can be reached.",
            ) from None
        if answer.status >= 500 or answer.status == 429:
            raise WarehouseUnavailable(f"No token from {self._url}: HTTP {answer.status}.")
        if answer.status != 200:
            raise WarehouseError(
                f"Databricks refused the machine {self._client}: HTTP {answer.status}.",
                advice="Check DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET.",
            )
        token = answer.json()
        self._headers = {"Authorization": f"Bearer {token['access_token']}"}
        self._until = asked + float(token["expires_in"]) - EARLY


class Token:
    """A personal access token, or any other that stays good."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_type(self) -> str:
        return "pat"

    def __call__(self) -> Callable[[], dict[str, str]]:
        return self.headers

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


def login(url: str) -> Machine | Token:
    """What the settings name; WarehouseError where they name nothing."""
    if settings.DATABRICKS_TOKEN:
        return Token(settings.DATABRICKS_TOKEN)
    client, secret = settings.DATABRICKS_CLIENT_ID, settings.DATABRICKS_CLIENT_SECRET
    if client and secret:
        return Machine(url, client, secret, settings.DATABRICKS_CA_FILE)
    raise WarehouseError(
        "There are no credentials for Databricks.",
        advice="Set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET.",
    )
