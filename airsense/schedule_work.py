"""What a schedule does, in words."""

import json
from typing import Any

from django_celery_beat.models import PeriodicTask

from transfers.exceptions import TransferError
from transfers.warehouse_jobs import stored_files

TRANSFER, BUILD, INGEST, PUBLISH = (
    f"transfers.tasks.{task}"
    for task in ("transfer_tables", "build_tables", "ingest_folder", "publish_months")
)


def in_words(row: PeriodicTask) -> str:
    """Return, for example, "transfer all tables"."""
    arguments = _arguments(row)
    names = ", ".join(map(str, arguments))
    if row.task == TRANSFER:
        return f"transfer {names or 'all tables'}"
    if row.task == BUILD:
        return "build the final tables in the warehouse"
    if row.task == PUBLISH:
        return f"download {names or 'the newest months'}, ingest, build and transfer all tables"
    if row.task == INGEST:
        return f"ingest the new files of {_files(arguments)}"
    return str(row.description or row.task)


def _files(arguments: list[Any]) -> str:
    try:
        return ", ".join(stored_files.read(arguments).names)
    except TransferError:
        return json.dumps(arguments)


def _arguments(row: PeriodicTask) -> list[Any]:
    """The arguments; empty if they are no JSON list, which `schedules.check` reports."""
    try:
        arguments = json.loads(row.args or "[]")
    except ValueError:
        return []
    return arguments if isinstance(arguments, list) else []
