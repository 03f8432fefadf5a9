"""Housekeeping tasks of the schedule; their names are stored in the database."""

import logging

from celery import shared_task
from django.core.management import call_command

from airsense import data_folder, logs
from airsense.sign_in import accounts
from flights.access import keys
from transfers import run_log, warehouse_jobs

log = logging.getLogger(__name__)


@shared_task
def note_uses_of_keys() -> None:
    """Save when each API key was last used."""
    keys.save_last_uses()


@shared_task
def forget() -> None:
    """Delete expired sessions, logs older than 30 days, orphaned uploads and unused users."""
    call_command("clearsessions")
    run_log.forget()
    accounts.forget_strangers()
    if (folder := data_folder.folder() / "logs").is_dir():
        logs.rotate(folder)
    if removed := warehouse_jobs.remove_orphans():
        log.warning("deleted %d uploads that no job uses", removed)
