"""The ways by which alerts reach people, set in the environment.

What a channel raises never shows its address or credentials: only what kind of failure it was.
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
TIMEOUT = 10.0  # seconds for each answer of a receiver


def open_ones() -> list[Channel]:
    """The channels that are set."""
    is_set = {Channel.MAIL: settings.ALERT_MAIL_TO, Channel.WEBHOOK: settings.ALERT_WEBHOOK_URL}
    return [channel for channel, address in is_set.items() if address]


def send(alert: Alert, channel: Channel) -> None:
    """Send one alert; NotDelivered where it was not taken."""
    senders: dict[Channel, Callable[[Alert], None]] = {
        Channel.MAIL: _mail,
        Channel.WEBHOOK: _post,
    }
    try:  # what requests and smtplib raise is OSError, too
        senders[channel](alert)
    except (OSError, SoftTimeLimitExceeded) as error:
        raise NotDelivered(f"No delivery: {type(error).__name__}.") from None


def _mail(alert: Alert) -> None:
    lines = (alert.text, alert.advice, f"Happened at {alert.happened_at:%Y-%m-%d %H:%M:%S} UTC.")
    EmailMessage(
        subject=f"AirSense: {alert}",
        body="\n\n".join(filter(None, lines)),
        to=settings.ALERT_MAIL_TO,
        headers={"Message-ID": f"<{alert.key}@airsense>"},  # one that comes twice is seen to
    ).send()


def _post(alert: Alert) -> None:
    body = _body(alert)
    answer = requests.post(
        settings.ALERT_WEBHOOK_URL,
        body,
        headers={"Content-Type": "application/json", **_signed(str(alert.key), body)},
        timeout=TIMEOUT,
        allow_redirects=False,  # a signed alert goes where it was addressed to
        stream=True,  # nobody reads what a receiver says beside its status
    )
    with answer:
        if not 200 <= answer.status_code < 300:
            raise NotDelivered(f"The receiver answered {answer.status_code}.")


def _body(alert: Alert) -> bytes:
    data = {alert.about: alert.subject, "text": alert.text, "advice": alert.advice}
    when, type_ = alert.happened_at.isoformat(), f"{alert.about}.{alert.kind}"
    return json.dumps({"type": type_, "timestamp": when, "data": data}).encode()


def _signed(key: str, body: bytes) -> dict[str, str]:
    """The headers of https://www.standardwebhooks.com/."""
    now = str(int(time.time()))
    signed = hmac.digest(
        settings.ALERT_WEBHOOK_SECRET, f"{key}.{now}.".encode() + body, hashlib.sha256
    )
    return {
        "webhook-id": key,
        "webhook-timestamp": now,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
