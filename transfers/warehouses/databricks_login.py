"""Log in to Databricks: with a token, or with OAuth as a service principal."""

import time
from collections.abc import Callable
from typing import Any

import requests
from django.conf import settings

from transfers.exceptions import WarehouseError, WarehouseUnavailable

from .databricks_failures import BLOCKED, not_allowed
from .databricks_principals import TokenRequest, of_azure, of_databricks, of_google

RENEW_EARLY = 60.0  # a token is renewed this many seconds before it expires
LIFETIME = 3600.0  # seconds, if the response does not say
TIMEOUT = 30.0  # seconds


class ServicePrincipal:
    """Credentials of a service principal. The connector gets headers from it for each request."""

    def __init__(self, request: TokenRequest) -> None:
        self._request = request
        self._headers: dict[str, str] = {}
        self._renew_at = 0.0

    def auth_type(self) -> str:
        return "oauth-m2m"

    def __call__(self) -> Callable[[], dict[str, str]]:
        return self.headers

    def headers(self) -> dict[str, str]:
        """Return the Authorization header; WarehouseError if the credentials are refused."""
        if time.monotonic() > self._renew_at:
            self._log_in()
        return self._headers

    def _log_in(self) -> None:
        start, request = time.monotonic(), self._request
        response = _post(request)
        if response.status_code >= 500 or response.status_code == 429:
            raise WarehouseUnavailable(f"No token from {request.url}: HTTP {response.status_code}.")
        if response.status_code == 403 and BLOCKED.search(response.text):
            raise not_allowed(request.url, response.status_code, response.text)
        if response.status_code != 200:
            raise WarehouseError(
                f"{request.url} refused the service principal {request.principal}:"
                f" HTTP {response.status_code}.",
                advice=request.advice,
            )
        token = _json(response)
        self._headers = {"Authorization": f"Bearer {token[request.token]}"}
        self._renew_at = start + float(token.get("expires_in", LIFETIME)) - RENEW_EARLY


def _post(request: TokenRequest) -> requests.Response:
    """Send a request, through the proxy that HTTPS_PROXY names, as the connector does."""
    try:
        return requests.post(
            request.url,
            data=request.form(),
            auth=request.basic,
            verify=settings.DATABRICKS_CA_FILE or True,
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except requests.exceptions.SSLError:
        raise WarehouseError(
            f"The certificate of {request.url} is not trusted.",
            advice="Set DATABRICKS_CA_FILE to the certificate of its authority.",
        ) from None
    except requests.RequestException as error:
        raise WarehouseUnavailable(
            f"No token from {request.url}: {type(error).__name__}.",
            advice="Check that the host in WAREHOUSE_URL is correct and can be reached, and"
            " HTTPS_PROXY if the workers need a proxy.",
        ) from None


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        return dict(response.json())
    except ValueError:
        raise WarehouseUnavailable(
            f"{response.url} responded with a page instead of a token.",
            advice="Check the proxy between the workers and Databricks.",
        ) from None


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
    if settings.DATABRICKS_GOOGLE_CREDENTIALS:
        return ServicePrincipal(of_google(url, settings.DATABRICKS_GOOGLE_CREDENTIALS))
    client, secret = settings.DATABRICKS_CLIENT_ID, settings.DATABRICKS_CLIENT_SECRET
    if client and secret:
        tenant = settings.DATABRICKS_AZURE_TENANT_ID
        request = of_azure(client, secret, tenant) if tenant else of_databricks(url, client, secret)
        return ServicePrincipal(request)
    raise WarehouseError(
        "No credentials for Databricks are set.",
        advice="Set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET.",
    )
