"""Where alerts go, as the environment says it: read and refused at start, not when one is sent.

The values hold credentials, so no error shows them.
"""

import base64
import binascii
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from airsense.data_folder import StartError


def mail(url: str, to: list[str]) -> dict[str, Any]:
    """Django's settings of the mail server that a URL names; none where it is empty."""
    if not url:
        if to:
            raise StartError("ALERT_MAIL_TO is set, but EMAIL_URL is not: there is no mail server.")
        return {}
    try:
        return dict(environ.Env.email_url_config(url))
    except (ImproperlyConfigured, ValueError):
        raise StartError(
            "EMAIL_URL is not of the form smtp+tls://user:password@host:587."
        ) from None


def webhook(url: str, secret: str) -> tuple[str, bytes]:
    """The address of a webhook, and the key that signs what goes there; both empty if none is."""
    if not url:
        return "", b""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise StartError("ALERT_WEBHOOK_URL is not of the form https://host/path.")
    return url, _key(secret)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not (secret.startswith("whsec_") and 24 <= len(key) <= 64):
        raise StartError(
            "ALERT_WEBHOOK_SECRET is not whsec_ and the base64 of 24 to 64 bytes:"
            " make one with  echo whsec_$(openssl rand -base64 32)"
        )
    return key
