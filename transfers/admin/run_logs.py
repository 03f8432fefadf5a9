"""Show the log of a transfer or a job on its page."""

from django.utils.html import format_html

from transfers import run_log
from transfers.models import Transfer, WarehouseJob

LOG = (
    '<pre class="max-h-96 overflow-auto whitespace-pre-wrap break-words rounded-default bg-base-100'
    ' p-3 font-mono text-xs dark:bg-base-800" tabindex="0" role="region" aria-label="Log">{}</pre>'
)


def show(run: Transfer | WarehouseJob) -> str:
    """The last lines, the oldest first."""
    return format_html(LOG, run_log.text_of(run) or "No lines are stored.")
