"""What the schedule does beside transfers."""

import logging

from celery import shared_task

from flights import keys

log = logging.getLogger(__name__)


@shared_task
def note_uses_of_keys() -> None:
    """Write when each key of the API was used last."""
    keys.note_uses()
