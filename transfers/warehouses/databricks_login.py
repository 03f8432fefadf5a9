"""Log in to Databricks: with a token, or with OAuth as a service principal.

The principal can be one of Databricks, on any cloud, of Microsoft Entra ID (Azure), or of Google:
https://docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m
https://learn.microsoft.com/en-us/azure/databricks/dev-tools/auth/azure-sp
https://docs.databricks.com/gcp/en/dev-tools/auth/authentication-google-id
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import requests
from django.conf import settings

from transfers.exceptions import WarehouseError, WarehouseUnavailable

from .databricks_failures import BLOCKED, not_allowed

RENEW_EARLY = 60.0  # seconds before a token expires, from when it is renewed
LIFETIME = 3600.0  # seconds, if the response does not say
TIMEOUT = 30.0  # seconds
AZURE_DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"  # its id in every Entra ID
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass
class TokenRequest:
    """How a principal gets a token."""

    principal: str  # for people
    url: str
    form: Callable[[], dict[str, str]]
    advice: str  # if the request is refused
    basic: tuple[str, str] | None = None  # user and password
    token: str = "access_token"  # noqa: S105  # the field of the response that has it


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
        return ServicePrincipal(_of_google(url, settings.DATABRICKS_GOOGLE_CREDENTIALS))
    client, secret = settings.DATABRICKS_CLIENT_ID, settings.DATABRICKS_CLIENT_SECRET
    if client and secret:
        tenant = settings.DATABRICKS_AZURE_TENANT_ID
        request = (
            _of_azure(client, secret, tenant) if tenant else _of_databricks(url, client, secret)
        )
        return ServicePrincipal(request)
    raise WarehouseError(
        "No credentials for Databricks are set.",
        advice="Set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET.",
    )


def _of_databricks(url: str, client: str, secret: str) -> TokenRequest:
    form = {"grant_type": "client_credentials", "scope": "all-apis"}
    return TokenRequest(
        principal=client,
        url=f"{url}/oidc/v1/token",
        form=lambda: form,
        advice="Check DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET.",
        basic=(client, secret),
    )


def _of_azure(client: str, secret: str, tenant: str) -> TokenRequest:
    form = {
        "grant_type": "client_credentials",
        "client_id": client,
        "client_secret": secret,
        "scope": f"{AZURE_DATABRICKS}/.default",
    }
    return TokenRequest(
        principal=client,
        url=f"{settings.DATABRICKS_AZURE_AUTHORITY}/{tenant}/oauth2/v2.0/token",
        form=lambda: form,
        advice="Check DATABRICKS_AZURE_TENANT_ID, DATABRICKS_CLIENT_ID and"
        " DATABRICKS_CLIENT_SECRET, which are those of an application in Microsoft Entra ID.",
    )


def _of_google(url: str, file: str) -> TokenRequest:
    """Exchange a text that the key of a service account signs for an ID token of the workspace."""
    key = _key(Path(file))

    def form() -> dict[str, str]:
        now = int(time.time())
        claims = {
            "iss": key["client_email"],
            "aud": key["token_uri"],
            "target_audience": url.removesuffix(":443"),
            "iat": now,
            "exp": now + int(LIFETIME),
        }
        signed = jwt.encode(claims, key["private_key"], algorithm="RS256")
        return {"grant_type": JWT_BEARER, "assertion": signed}

    return TokenRequest(
        principal=key["client_email"],
        url=key["token_uri"],
        form=form,
        advice="Check the key in DATABRICKS_GOOGLE_CREDENTIALS, and that the workspace has its"
        " service account as a user.",
        token="id_token",  # noqa: S106
    )


def _key(file: Path) -> dict[str, str]:
    """Read the key of a service account."""
    try:
        key: dict[str, str] = json.loads(file.read_text())
        return {name: key[name] for name in ("client_email", "token_uri", "private_key")}
    except (OSError, ValueError, KeyError) as error:
        raise WarehouseError(
            f"{file} is not the key of a Google service account: {type(error).__name__}.",
            advice="Set DATABRICKS_GOOGLE_CREDENTIALS to the JSON file that Google created.",
        ) from None
