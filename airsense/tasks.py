"""What the schedule does beside transfers."""

import logging

from celery import shared_task
from django.core.management import call_command

from airsense import data_folder, logs
from flights.access import keys
from transfers import warehouse_jobs

log = logging.getLogger(__name__)


@shared_task
def note_uses_of_keys() -> None:
    """Write when each key of the API was used last."""
    keys.save_last_uses()


@shared_task
def forget() -> None:
    """Remove what is kept of people for 30 days at most (docs/public.md), and lost uploads."""
    call_command("clearsessions")
    if (folder := data_folder.folder() / "logs").is_dir():
        logs.rotate(folder)
    if removed := warehouse_jobs.remove_orphans():
        log.warning("%d uploads had no job", removed)
