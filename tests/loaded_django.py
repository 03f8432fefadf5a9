"""Django with its models, views and admin, which the server of commands loads once.

Most commands take a third of their CPU time to load them; tests.fork_server forks commands. A
command reads its own settings; if these would load Django otherwise, it starts Python anew.
"""

import importlib
import os
import sys
from functools import partial
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import connections
from django.utils.functional import empty

SETTINGS = ("airsense.settings", "tests.settings")
# Each command reads the first two again; the third has functions, which are never equal.
NOT_COMPARED = {"DATABASES", "LOGGING", "UNFOLD"}

# What most servers, workers and transfers import; `airsense.urls` imports prometheus_client, which
# reads the folder of a command's metrics.
MODULES = [
    *("airsense.checks", "flights.urls", "transfers.run.runner", "transfers.urls"),
    *("django.contrib.auth.views", "django.contrib.sessions.backends.db"),
    *("transfers.pages.connectors", "transfers.warehouses.duckdb"),
]

_read = dict[str, Any]()  # settings that Django has read while it was loaded
_environment = dict[str, str]()  # variables that were set meanwhile


def load() -> None:
    before = {*os.environ}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS[0])  # benchmarks have none yet
    django.setup()
    for name in MODULES:
        importlib.import_module(name)
    admin.autodiscover()
    _environment.update((name, os.environ[name]) for name in os.environ.keys() - before)
    _read.update((name, value) for name, value in vars(settings).items() if name.isupper())


def take(env: dict[str, str]) -> None:
    """Give this process, which is forked, its environment and the settings of that."""
    os.environ.clear()
    os.environ.update(_environment | env)
    vars(settings).clear()
    settings._wrapped = empty
    for name in SETTINGS:
        sys.modules.pop(name, None)
    vars(connections).clear()
    connections.__init__()  # type: ignore[misc]
    if apps.ready:
        apps.populate = partial(_check, [*sys.argv])  # type: ignore[method-assign]


def _check(command: list[str], _installed: Any) -> None:
    """Start Python anew unless these settings would load Django as it is loaded."""
    if any(getattr(settings, name) != _read[name] for name in _read.keys() - NOT_COMPARED):
        module = [] if command[0].endswith(".py") else ["-m"]
        os.execv(sys.executable, [sys.executable, *module, *command])  # noqa: S606  # no shell
