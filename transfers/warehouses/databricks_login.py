"""Log in to Databricks: with a token, or as a service principal with OAuth.

https://docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m
"""

import time
from collections.abc import Callable

import urllib3
from django.conf import settings

from transfers.exceptions import WarehouseError, WarehouseUnavailable

RENEW_EARLY = 60.0  # seconds before a token expires, from when it is renewed
TIMEOUT = urllib3.Timeout(30.0)  # seconds


class ServicePrincipal:
    """Credentials of a service principal. The connector gets headers from it for each request."""

    def __init__(self, url: str, client: str, secret: str, ca_file: str) -> None:
        self._url, self._client, self._secret = f"{url}/oidc/v1/token", client, secret
        self._ca_file = ca_file or None
        self._headers: dict[str, str] = {}
        self._renew_at = 0.0

    def auth_type(self) -> str:
        return "oauth-m2m"

    def __call__(self) -> Callable[[], dict[str, str]]:
        return self.headers

    def headers(self) -> dict[str, str]:
        """Return the Authorization header; WarehouseError if Databricks refuses the secret."""
        if time.monotonic() > self._renew_at:
            self._log_in()
        return self._headers

    def _log_in(self) -> None:
        start = time.monotonic()
        headers = urllib3.make_headers(basic_auth=f"{self._client}:{self._secret}")
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        form = "grant_type=client_credentials&scope=all-apis"
        try:
            with urllib3.PoolManager(ca_certs=self._ca_file, timeout=TIMEOUT) as pool:
                response = pool.request("POST", self._url, headers=headers, body=form)
        except urllib3.exceptions.HTTPError as error:
            raise WarehouseUnavailable(
                f"No token from {self._url}: {type(error).__name__}.",
                advice="Check that the host in WAREHOUSE_URL is correct and can be reached.",
            ) from None
        if response.status >= 500 or response.status == 429:
            raise WarehouseUnavailable(f"No token from {self._url}: HTTP {response.status}.")
        if response.status != 200:
            raise WarehouseError(
                f"Databricks refused the service principal {self._client}: HTTP {response.status}.",
                advice="Check DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET.",
            )
        token = response.json()
        self._headers = {"Authorization": f"Bearer {token['access_token']}"}
        self._renew_at = start + float(token["expires_in"]) - RENEW_EARLY


class Token:
    """A personal access token, or any other token that is not renewed."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_type(self) -> str:
        return "pat"

    def __call__(self) -> Callable[[], dict[str, str]]:
        return self.headers

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


def login(url: str) -> ServicePrincipal | Token:
    """Return the credentials in the settings; WarehouseError if there are none."""
    if settings.DATABRICKS_TOKEN:
        return Token(settings.DATABRICKS_TOKEN)
    client, secret = settings.DATABRICKS_CLIENT_ID, settings.DATABRICKS_CLIENT_SECRET
    if client and secret:
        return ServicePrincipal(url, client, secret, settings.DATABRICKS_CA_FILE)
    raise WarehouseError(
        "No credentials for Databricks are set.",
        advice="Set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET.",
    )
