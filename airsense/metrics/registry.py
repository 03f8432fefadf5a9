"""The metrics of this process, and those of all processes of its server or worker."""

import os

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from . import folder

own = CollectorRegistry()


def processes() -> CollectorRegistry:
    """The metrics of all processes that share a folder; without a folder, those of this one."""
    if folder.VARIABLE not in os.environ:
        return own
    folder.forget_dead()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
