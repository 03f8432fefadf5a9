"""Channels that carry alerts to people: mail and a webhook, configured in the environment.

An error of a channel names only its type, because its text can contain addresses or credentials.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable

import requests
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import EmailMessage

from transfers.exceptions import NotDelivered
from transfers.models import Alert, Delivery

Channel = Delivery.Channel
TIMEOUT = 10.0  # seconds for each response of a receiver


def configured() -> list[Channel]:
    """The channels that have an address."""
    addresses = {Channel.MAIL: settings.ALERT_MAIL_TO, Channel.WEBHOOK: settings.ALERT_WEBHOOK_URL}
    return [channel for channel, address in addresses.items() if address]


def send(alert: Alert, channel: Channel) -> None:
    """Send one alert; NotDelivered if the receiver did not accept it."""
    senders: dict[Channel, Callable[[Alert], None]] = {
        Channel.MAIL: _mail,
        Channel.WEBHOOK: _post,
    }
    try:  # the errors of requests and smtplib are OSErrors
        senders[channel](alert)
    except (OSError, SoftTimeLimitExceeded) as error:
        raise NotDelivered(f"No delivery: {type(error).__name__}.") from None


def _mail(alert: Alert) -> None:
    lines = (alert.text, alert.advice, f"Happened at {alert.happened_at:%Y-%m-%d %H:%M:%S} UTC.")
    EmailMessage(
        subject=f"AirSense: {alert}",
        body="\n\n".join(filter(None, lines)),
        to=settings.ALERT_MAIL_TO,
        headers={"Message-ID": f"<{alert.key}@airsense>"},  # shows that a mail is a repetition
    ).send()


def _post(alert: Alert) -> None:
    body = _body(alert)
    response = requests.post(
        settings.ALERT_WEBHOOK_URL,
        body,
        headers={"Content-Type": "application/json", **_signed(str(alert.key), body)},
        timeout=TIMEOUT,
        allow_redirects=False,  # a signed alert must not go to another address
        stream=True,  # do not download the body: only the status counts
    )
    with response:
        if not 200 <= response.status_code < 300:
            raise NotDelivered(f"The receiver answered {response.status_code}.")


def _body(alert: Alert) -> bytes:
    payload = {
        "type": f"{alert.about}.{alert.kind}",
        "timestamp": alert.happened_at.isoformat(),
        "data": {alert.about: alert.subject, "text": alert.text, "advice": alert.advice},
    }
    return json.dumps(payload).encode()


def _signed(key: str, body: bytes) -> dict[str, str]:
    """The id, time and HMAC-SHA256 signature, as in https://www.standardwebhooks.com/."""
    now = str(int(time.time()))
    text = f"{key}.{now}.".encode() + body
    signature = hmac.digest(settings.ALERT_WEBHOOK_SECRET, text, hashlib.sha256)
    return {
        "webhook-id": key,
        "webhook-timestamp": now,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
