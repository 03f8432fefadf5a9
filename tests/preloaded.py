"""What forked commands share besides libraries; `tests.commands` loads this last.

Time zones: `django_celery_beat` reads all of them, which takes a fifth of a short command's CPU.
Broker: to translate its SQL for the embedded warehouse takes 0.4 s of CPU.
Objects: garbage collection would visit and copy all those of the libraries, 0.12 s of CPU.
"""

import gc
import zoneinfo

from transfers import broker
from transfers.warehouses import duckdb_sql

zoneinfo.reset_tzpath(to=())  # then the package tzdata lists them in one file
TIME_ZONES = [zoneinfo.ZoneInfo(name) for name in zoneinfo.available_timezones()]

for sql in (broker.airport_list.sql(), *map(broker.sql, broker.TABLES)):
    duckdb_sql.translate(sql)

gc.collect()
gc.freeze()
