"""Django with its models, which the server of commands loads once (tests.fork_server).

Most commands take a third of their CPU time to load them. A command reads its own settings; if
these would load Django otherwise, it starts Python anew.
"""

import os
import sys
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.db import connections
from django.utils.functional import empty

SETTINGS = ("airsense.settings", "tests.settings")
# Each command reads the first two again; the third has functions, which are never equal.
NOT_COMPARED = {"DATABASES", "LOGGING", "UNFOLD"}

_read = dict[str, Any]()  # settings that Django has read while it was loaded
_environment = dict[str, str]()  # variables that were set meanwhile


def load() -> None:
    before = {*os.environ}
    django.setup()
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
        apps.populate = _check  # type: ignore[method-assign, assignment]


def _check(_installed: Any) -> None:
    """Start Python anew unless these settings would load Django as it is loaded."""
    if any(getattr(settings, name) != _read[name] for name in _read.keys() - NOT_COMPARED):
        module = [] if sys.argv[0].endswith(".py") else ["-m"]
        os.execv(sys.executable, [sys.executable, *module, *sys.argv])  # noqa: S606  # no shell
