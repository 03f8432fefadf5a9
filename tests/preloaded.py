"""What forked commands share besides libraries; `tests.commands` loads this last.

Code: a command imports modules that read its settings, and takes their code from here: 73 of the
430 ms of CPU that a web server needs to start.

Time zones: `django_celery_beat` reads all of them, which takes a fifth of a short command's CPU.
Broker: to translate its SQL for the embedded warehouse takes 0.4 s of CPU.
Objects: garbage collection would visit and copy all those of the libraries, 0.12 s of CPU.
"""

import gc
import zoneinfo
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType

from airsense import data_folder
from transfers import broker
from transfers.warehouses import duckdb_sql

READ_SETTINGS = [
    *("django.contrib", "django_celery_beat", "django_otp", "drf_spectacular", "prometheus_client"),
    *("rest_framework", "timezone_field", "unfold"),
]


def _files() -> Iterator[Path]:
    for name in ("airsense", "flights", "transfers"):
        yield from (data_folder.PROJECT / name).rglob("*.py")
    for name in READ_SETTINGS:
        spec = find_spec(name)
        assert spec
        assert spec.origin
        yield from Path(spec.origin).parent.rglob("*.py")


def _code(loader: SourceFileLoader, name: str) -> CodeType | None:
    return CODE.get(loader.path) or _read(loader, name)


_read = SourceFileLoader.get_code
CODE = {str(file): _read(SourceFileLoader(file.stem, str(file)), file.stem) for file in _files()}
SourceFileLoader.get_code = _code  # type: ignore[assignment, method-assign]

zoneinfo.reset_tzpath(to=())  # then the package tzdata lists them in one file
TIME_ZONES = [zoneinfo.ZoneInfo(name) for name in zoneinfo.available_timezones()]

for sql in (broker.airport_list.sql(), *map(broker.sql, broker.TABLES)):
    duckdb_sql.translate(sql)

gc.collect()
gc.freeze()
