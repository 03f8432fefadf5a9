"""Publish months: download them, ingest them, build the final tables, and transfer the tables.

Each step is recorded in the job when it begins and when it ends. A job that runs again continues
with the step that had not ended. A step that fails leaves the published tables as they were.
"""

import logging
from collections.abc import Callable
from functools import partial

from flights import tables
from transfers import services
from transfers.download import months, store
from transfers.download.months import Month
from transfers.exceptions import NotPublished, TransferError
from transfers.models import DownloadedMonth, WarehouseJob
from transfers.run import completion
from transfers.terminal import outcome

from . import releases, steps

MIB = 1 << 20

type Step = Callable[[WarehouseJob], list[str]]

log = logging.getLogger(__name__)


def run(job: WarehouseJob) -> list[str]:
    """Run the steps of a job that have not ended; returns the lines of all steps."""
    for name, step in STEPS.items():
        if not steps.of(job, name).get("ended_at"):
            log.info("%s: %s", job, name)
            steps.record(job, name, started_at=steps.now(), outcome=[])
            steps.record(job, name, outcome=_done(job, name, step), ended_at=steps.now())
    return job.lines


def _done(job: WarehouseJob, name: str, step: Step) -> list[str]:
    """Run a step, and put its name before the messages of its errors."""
    try:
        return step(job)
    except TransferError as error:
        error.args = (f"{name}: {error}",)
        raise


def _months(job: WarehouseJob) -> list[Month]:
    return months.parse(job.arguments) or months.recent()


def _releases(job: WarehouseJob) -> list[DownloadedMonth]:
    """The stored releases of the job's months."""
    return [release for month in _months(job) if (release := store.newest(month))]


def _download(job: WarehouseJob) -> list[str]:
    """Download the job's months; months that a schedule looks for may be unpublished."""
    lines = []
    for month in _months(job):
        try:
            result = store.download(month, partial(_received, job, month))
        except NotPublished:
            if job.arguments:
                raise
        else:
            lines.append(f"{month}: {'downloaded' if result.new else 'unchanged'}")
            steps.record(job, "download", outcome=lines)
    return lines or ["No month is published."]


def _received(job: WarehouseJob, month: Month, received: int, total: int | None) -> None:
    steps.note(job, f"download {month}", received / MIB, total and total / MIB, "MiB")


def _ingest(job: WarehouseJob) -> list[str]:
    """Replace the months in the raw table by the downloaded ones."""
    ingested = _releases(job)
    # The build may find another release: somebody can download one meanwhile.
    steps.record(job, "ingest", releases=[release.pk for release in ingested])
    paths = [store.path(release) for release in ingested]
    return steps.ingest(job, paths, "months") if paths else ["No month is stored."]


def _build(job: WarehouseJob) -> list[str]:
    lines = steps.build()
    # A job that an earlier release began has not recorded them.
    releases.built(steps.of(job, "ingest").get("releases", []))
    return lines


def _transfer(job: WarehouseJob) -> list[str]:
    """Transfer all tables together, and note which releases the new version has."""
    transfers = completion.complete(services.queue(tables.TABLES, asked_by=f"job {job.pk}"))
    for transfer in transfers:
        if transfer.unsuccessful:
            raise TransferError(outcome(transfer))
    return [*map(outcome, transfers), *releases.published()]


STEPS: dict[str, Step] = {
    "download": _download,
    "ingest": _ingest,
    "build": _build,
    "transfer": _transfer,
}
