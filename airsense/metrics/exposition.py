"""Write metrics in Prometheus' text format."""

import hmac
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

from . import platform
from .registry import processes

# generate_latest writes this version of the text format.
HEADERS = [("content-type", "text/plain; version=0.0.4; charset=utf-8")]
# Prefixes of the metrics that everybody may read; the others reveal how the platform is used.
PUBLIC = ("airsense_answers", "airsense_cache_")


class Public(Collector):
    """The metrics of a registry that everybody may read."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry

    def collect(self) -> Iterator[Metric]:
        return (metric for metric in self.registry.collect() if metric.name.startswith(PUBLIC))


def text(environ: dict[str, Any]) -> bytes:
    """The response to a request: all metrics with METRICS_TOKEN, else the public ones."""
    registry = processes()
    if not _may_read_all(environ):
        return generate_latest(Public(registry))
    return generate_latest(registry) + generate_latest(platform.collector)


def _may_read_all(environ: dict[str, Any]) -> bool:
    token = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    return hmac.compare_digest(token.encode(), settings.METRICS_TOKEN.encode())
