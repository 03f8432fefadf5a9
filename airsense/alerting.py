"""Read the settings for mail and webhook alerts.

Mistakes raise StartError when AirSense starts, not when the first alert is sent. The values contain
credentials, so no message shows them.
"""

import base64
import binascii
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from airsense.data_folder import StartError


def mail(url: str, to: list[str]) -> dict[str, Any]:
    """Convert EMAIL_URL into Django's EMAIL_* settings; {} if it is empty.

    Raises StartError for an unusable URL, or for recipients (`to`) without a mail server.
    """
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
    """Check the webhook's URL and decode its signing key; ("", b"") without a URL.

    Raises StartError for an unusable URL or key.
    """
    if not url:
        return "", b""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise StartError("ALERT_WEBHOOK_URL is not of the form https://host/path.")
    return url, _key(secret)


def _key(secret: str) -> bytes:
    """Decode a secret of Standard Webhooks: "whsec_" and the base64 of 24 to 64 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not (secret.startswith("whsec_") and 24 <= len(key) <= 64):
        raise StartError(
            "ALERT_WEBHOOK_SECRET is not of the form whsec_ and the base64 of 24 to 64 bytes."
            " Generate one: echo whsec_$(openssl rand -base64 32)"
        )
    return key
