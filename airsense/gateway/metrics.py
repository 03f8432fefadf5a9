"""Metrics of the response cache for Prometheus. Each process has its own cache and metrics."""

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from .entry import Reply

if TYPE_CHECKING:
    from . import Gateway

# generate_latest writes this version of the text format.
HEADERS = [("content-type", "text/plain; version=0.0.4; charset=utf-8")]


class CacheCollector(Collector):
    """Reads the metrics of a gateway when Prometheus asks for them."""

    def __init__(self, gateway: "Gateway") -> None:
        self.gateway, self.process = gateway, str(os.getpid())

    def collect(self) -> Iterator[Metric]:
        store, seen_until = self.gateway.store, self.gateway.watch.snapshot.valid_until
        yield self._responses()
        yield self._gauge("entries", "Responses in the cache.", len(store))
        yield self._gauge("bytes", "Memory that they take.", store.size)
        yield self._gauge("limit_bytes", "Memory that they may take.", store.limit)
        sees = time.monotonic() < seen_until
        yield self._gauge("sees_versions", "Whether the published versions are known.", sees)

    def _responses(self) -> Metric:
        about = "Responses, by how the cache took part."
        metric = CounterMetricFamily("airsense_answers", about, labels=["process", "cache"])
        for cache, count in self.gateway.counts.items():
            metric.add_metric([self.process, cache], count)
        return metric

    def _gauge(self, name: str, about: str, value: float) -> Metric:
        metric = GaugeMetricFamily(f"airsense_cache_{name}", about, labels=["process"])
        metric.add_metric([self.process], value)
        return metric


def show(gateway: "Gateway") -> Reply:
    """The metrics in the text format of Prometheus."""
    return Reply("200 OK", HEADERS, [generate_latest(CacheCollector(gateway))])
