"""End the work that was queued or running when a backup was made."""

from collections.abc import Iterator

from flights.exports import retention
from transfers import services, warehouse_jobs

REASON = "The platform was restored from a backup."


def end() -> Iterator[str]:
    """Mark transfers, jobs and exports as failed or expired; yield a line about each kind."""
    counts = {
        "transfers": services.fail_active(REASON, "Start it again."),
        "warehouse jobs": warehouse_jobs.fail_active(REASON, "Start it again."),
        "exports": retention.forget_missing(REASON),
    }
    for kind, number in counts.items():
        if number:
            yield f"{number} {kind} that were not complete have been ended."
