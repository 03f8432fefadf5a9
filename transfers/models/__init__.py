"""The state of everything that writes tables: transfers, warehouse jobs, months and alerts."""

from .alerts import Alert, Delivery
from .months import DownloadedMonth
from .run_logs import RunLog
from .transfers import Transfer
from .warehouse_jobs import WarehouseJob

__all__ = ["Alert", "Delivery", "DownloadedMonth", "RunLog", "Transfer", "WarehouseJob"]
