"""The client of the OpenID Connect provider: authorization code with PKCE, by Authlib.

Authlib checks state, nonce, signature and times of an ID token. It compares issuer and audience
with the settings, not with the provider's own metadata.
"""

import logging
from functools import cache
from typing import Any

import requests
from authlib.integrations.django_client import DjangoOAuth2App, OAuth, OAuthError
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from joserfc.errors import JoseError
from rest_framework.exceptions import PermissionDenied

from flights import lending
from flights.errors import Unavailable

log = logging.getLogger(__name__)

TIMEOUT = 10  # seconds to wait for the provider
LEEWAY = 60  # seconds by which the clocks may differ
# Algorithms with a shared secret are refused: a forger could use a public key as the secret.
ALGORITHMS = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"}
SUPPORTED = "id_token_signing_alg_values_supported"


def redirect(request: HttpRequest, callback: str) -> HttpResponse:
    """Redirect the browser to the provider. Raises Unavailable if the provider does not respond."""
    try:
        with lending.lent():
            response: HttpResponse = _client().authorize_redirect(request, callback)
    except (requests.RequestException, ValueError, RuntimeError) as error:
        raise _unavailable(error) from None
    return response


def claims(request: HttpRequest) -> dict[str, Any]:
    """Return the verified claims of the person whom the provider sent back.

    Raises PermissionDenied if anything about the response is wrong; the log says what.
    """
    expected = {"iss": settings.OIDC_ISSUER, "aud": settings.OIDC_CLIENT_ID}
    options = {name: {"essential": True, "value": value} for name, value in expected.items()}
    try:
        with lending.lent():
            return _claims(request, options)
    except requests.RequestException as error:
        raise _unavailable(error) from None
    except (OAuthError, JoseError, ValueError, KeyError, RuntimeError) as error:
        log.warning("refused a sign-in by %s: %r", settings.OIDC_ISSUER, error)
        raise PermissionDenied(
            "The sign-in did not succeed. Start again from the login page; the log says why."
        ) from None


def _claims(request: HttpRequest, options: dict[str, Any]) -> dict[str, Any]:
    client = _client()
    metadata = client.load_server_metadata()
    metadata[SUPPORTED] = sorted(ALGORITHMS.intersection(metadata.get(SUPPORTED, ()))) or ["RS256"]
    token = client.authorize_access_token(request, claims_options=options, leeway=LEEWAY)
    return dict(token["userinfo"])


@cache
def _client() -> DjangoOAuth2App:
    """Return the client of this process, which loads the provider's addresses and keys once."""
    return OAuth().register(
        "provider",
        client_id=settings.OIDC_CLIENT_ID,
        client_secret=settings.OIDC_CLIENT_SECRET,
        server_metadata_url=f"{settings.OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": settings.OIDC_SCOPES,
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT,
        },
    )


def _unavailable(error: Exception) -> Unavailable:
    log.warning("the sign-in provider %s does not respond: %r", settings.OIDC_ISSUER, error)
    return Unavailable("The sign-in provider does not respond. Try again in a minute.", 60)
