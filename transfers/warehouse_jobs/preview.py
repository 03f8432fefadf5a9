"""Preview transfers in a worker: what would change, and what the quality checks find."""

from django.conf import settings

from flights import tables
from transfers import warehouses
from transfers.models import WarehouseJob
from transfers.run.preview import previews

from . import steps


def run(job: WarehouseJob) -> list[str]:
    """Preview transfers of the job's tables; the job has a step for each. Changes nothing."""
    models = tables.by_names(job.arguments)
    warehouse = warehouses.connect(settings.WAREHOUSE_URL)

    def begin(table: str) -> None:
        steps.record(job, table, started_at=steps.now(), outcome=[])

    results = previews(models, warehouse, begin)
    for result in results:
        values = {"outcome": result.lines(), "preview": result.json()}
        steps.record(job, result.table, **values, ended_at=steps.now())
    refused = [result.table for result in results if result.is_refused]
    verdict = f"A transfer of {', '.join(refused)} would be refused." if refused else ""
    return [*(line for result in results for line in result.lines()), *filter(None, [verdict])]
