"""Run transfers to their end, including those that wait for other transfers."""

import time
from collections.abc import Callable

from transfers import services
from transfers.exceptions import AlreadyRunning
from transfers.models import Transfer

from . import runner

WAIT = 1  # seconds before a transfer that waits for another tries again


def complete(
    transfers: list[Transfer], report: Callable[[str], object] = lambda message: None
) -> list[Transfer]:
    """Run the transfers when no other transfer of their tables runs; wait for other processes.

    Calls `report` with what it waits for. Returns the ended transfers, or raises the error of a
    failed one.
    """
    while True:
        try:
            runner.run(transfers)
        except AlreadyRunning as busy:
            report(str(busy))
        else:
            rows = list(Transfer.objects.filter(pk__in=[t.pk for t in transfers]).order_by("pk"))
            others = [str(transfer) for transfer in rows if transfer.active]
            if not others:
                return rows
            report(f"Another process runs {', '.join(others)}. Waiting for it to end.")
        time.sleep(WAIT)
        services.reap()
