"""When the warehouse last answered the platform or a user with permission, or failed to answer.

Visitors see this instead of a new check: a query wakes a Databricks warehouse, which costs money by
the minute. Valkey stores it for all processes; without Valkey it is unknown.
"""

import json
import logging
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from flights.access.rate_limiter import prefixed, valkey
from flights.queue import FAILURES

log = logging.getLogger(__name__)

KEY = "warehouse-contact"


@dataclass(frozen=True)
class Contact:
    up: bool
    at: datetime


def costs_money() -> bool:
    """Whether a query of the warehouse can start a machine that somebody pays for."""
    return str(settings.WAREHOUSE_URL).startswith("databricks")


def record(*, up: bool) -> None:
    """Store that the warehouse answered, or did not, at this moment."""
    value = {"url": settings.WAREHOUSE_URL, "up": up, "at": timezone.now().isoformat()}
    try:
        valkey().set(prefixed(KEY), json.dumps(value))
    except FAILURES as error:
        log.warning("The state of the warehouse is not stored: %s", error)


def last() -> Contact | None:
    """The last contact with the warehouse of WAREHOUSE_URL; None if there is none in Valkey."""
    try:
        stored = valkey().get(prefixed(KEY))
    except FAILURES:
        return None
    value = json.loads(stored) if stored else {}
    if value.get("url") != settings.WAREHOUSE_URL:
        return None
    return Contact(value["up"], datetime.fromisoformat(value["at"]))
