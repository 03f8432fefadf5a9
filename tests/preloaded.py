"""What forked commands share; the server that forks them loads it (tests.fork_server).

Libraries: most commands take longer to import them than to run.

Code: a command imports modules that read its settings, and takes their code from here: 73 of the
430 ms of CPU that a web server needs to start.

Time zones: `django_celery_beat` reads all of them, which takes a fifth of a short command's CPU.
Broker: to translate its SQL for the embedded warehouse takes 0.4 s of CPU.
"""

import importlib
import zoneinfo
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType

from airsense import data_folder
from transfers import broker
from transfers.warehouses import duckdb_sql

# Only modules that read no settings when they are imported.
LIBRARIES = [
    "boto3",
    "celery.app.base",
    "celery.app.builtins",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.fixups.django",
    "celery.worker.components",
    "celery.worker.consumer",
    "cron_descriptor",
    "crontab",
    "csp.middleware",
    "databricks.sql",
    "django.contrib.admin.options",
    "django.contrib.auth.hashers",
    "django.contrib.humanize.templatetags.humanize",
    "django.contrib.postgres.fields",
    "django.contrib.postgres.search",
    "django.core.handlers.wsgi",
    "django.core.management",
    "django.core.management.commands.migrate",
    "django.db.backends.postgresql.base",
    "django.db.migrations.executor",
    "django.db.migrations.writer",
    "django.forms",
    "django.test.testcases",
    "django.views.generic",
    "django_filters",
    "drf_spectacular.utils",
    "duckdb",
    "environ",
    "granian.server",
    "graphql",
    "jinja2",
    "kombu.transport.redis",
    "lark",
    "openpyxl",
    "psutil",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.parquet",
    "pythonjsonlogger.orjson",
    "rapidfuzz",
    "regex",
    "requests",
    "rest_framework.relations",
    "rest_framework.serializers",
    "resvg_py",
    "rich.console",
    "rich.live",
    "rich.progress",
    "segno",
    "sqlglot.dialects.databricks",
    "sqlglot.dialects.duckdb",
    "storages.backends.s3",
    "thrift.Thrift",
    "tomllib",
    "unfold.dataclasses",
    "whitenoise.middleware",
]
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


for name in LIBRARIES:
    importlib.import_module(name)

_read = SourceFileLoader.get_code
CODE = {str(file): _read(SourceFileLoader(file.stem, str(file)), file.stem) for file in _files()}
SourceFileLoader.get_code = _code  # type: ignore[assignment, method-assign]

zoneinfo.reset_tzpath(to=())  # then the package tzdata lists them in one file
TIME_ZONES = [zoneinfo.ZoneInfo(name) for name in zoneinfo.available_timezones()]

for sql in (broker.airport_list.sql(), *map(broker.sql, broker.TABLES)):
    duckdb_sql.translate(sql)
