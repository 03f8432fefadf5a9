"""How each kind of service principal gets a token.

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

import jwt
from django.conf import settings

from transfers.exceptions import WarehouseError

LIFETIME = 3600  # seconds; of the text that Google exchanges for a token
AZURE_DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"  # its id in every Entra ID
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass
class TokenRequest:
    """How a principal gets a token."""

    principal: str  # its name in error messages
    url: str
    form: Callable[[], dict[str, str]]
    advice: str  # if the request is refused
    basic: tuple[str, str] | None = None  # user and password
    token: str = "access_token"  # noqa: S105  # name of the field in the response


def of_databricks(url: str, client: str, secret: str) -> TokenRequest:
    form = {"grant_type": "client_credentials", "scope": "all-apis"}
    return TokenRequest(
        principal=client,
        url=f"{url}/oidc/v1/token",
        form=lambda: form,
        advice="Check DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET.",
        basic=(client, secret),
    )


def of_azure(client: str, secret: str, tenant: str) -> TokenRequest:
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


def of_google(url: str, file: str) -> TokenRequest:
    """Exchange a text that the key of a service account signs for an ID token of the workspace."""
    key = _key(Path(file))

    def form() -> dict[str, str]:
        now = int(time.time())
        claims = {
            "iss": key["client_email"],
            "aud": key["token_uri"],
            "target_audience": url.removesuffix(":443"),
            "iat": now,
            "exp": now + LIFETIME,
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
