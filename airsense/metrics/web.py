"""Metrics of a web process: requests and their duration, the response cache, threads, memory."""

import os
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram

from airsense import routes

from .registry import own

INTERVAL = 1.0  # seconds after which counted cache hits appear in the metrics
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_answers = Counter(
    "airsense_answers",
    "Responses by outcome in the cache: hit, miss or bypass.",
    ["process", "cache"],
    registry=own,
)
_requests = Counter(
    "airsense_requests",
    "Requests by route, status and outcome in the cache.",
    ["route", "status", "cache"],
    registry=own,
)
_seconds = Histogram(
    "airsense_request_seconds",
    "Seconds until the response was ready to be sent, of requests that Django answered.",
    ["route"],
    buckets=SECONDS,
    registry=own,
)


def _gauge(name: str, about: str) -> Gauge:
    return Gauge(f"airsense_{name}", about, ["process"], registry=own, multiprocess_mode="livesum")


_gauges = {
    "cache_entries": _gauge("cache_entries", "Responses in the cache."),
    "cache_bytes": _gauge("cache_bytes", "Bytes that the responses in the cache take."),
    "cache_limit_bytes": _gauge("cache_limit_bytes", "Bytes that the cache may take."),
    "cache_sees_versions": _gauge(
        "cache_sees_versions", "1 if the process knows the published versions, 0 if not."
    ),
    "requests_running": _gauge(
        "requests_running", "Requests that a thread answers or that wait for one."
    ),
    "requests_waiting": _gauge("requests_waiting", "Requests that wait for a thread."),
    "process_memory_bytes": _gauge("process_memory_bytes", "Memory of the process (RSS)."),
}

STATM = Path("/proc/self/statm")

type Value = Callable[[], float]


def memory() -> float:
    """Resident memory of this process in bytes."""
    pages = int(STATM.read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@lru_cache(1_024)  # finding a metric by its labels takes longer than counting
def _of(process: str, route: str, status: str, cache: str) -> tuple[Counter, Counter, Histogram]:
    return (
        _answers.labels(process, cache),
        _requests.labels(route, status, cache),
        _seconds.labels(route),
    )


class WebMetrics:
    """The metrics of this process. `values` are gauges that are read once a second.

    A cache hit only counts in memory (0.1 us); a thread transfers the counts to prometheus_client.
    """

    def __init__(self, **values: Value) -> None:
        self.values: dict[str, Value] = {"process_memory_bytes": memory, **values}
        if not STATM.exists():  # not Linux
            del self.values["process_memory_bytes"]
        self._process = str(os.getpid())
        self._hits: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        for cache in ("hit", "miss", "bypass"):
            _answers.labels(self._process, cache)  # 0 from the start
        threading.Thread(target=self._run, name="metrics", daemon=True).start()

    def hit(self, path: str, status: str) -> None:
        """Count a response of the cache."""
        with self._lock:
            key = path, status
            self._hits[key] = self._hits.get(key, 0) + 1

    def computed(self, route: str, status: str, cache: str, seconds: float) -> None:
        """Count a response of Django."""
        answers, requests, histogram = _of(self._process, route, status[:3], cache)
        answers.inc()
        requests.inc()
        histogram.observe(seconds)

    def flush(self) -> None:
        """Transfer counted cache hits and the gauges' values to prometheus_client."""
        with self._lock:
            hits, self._hits = self._hits, {}
        _answers.labels(self._process, "hit").inc(sum(hits.values()))
        for (path, status), count in hits.items():
            _requests.labels(routes.of(path), status[:3], "hit").inc(count)
        for name, value in list(self.values.items()):  # the edge adds some later
            _gauges[name].labels(self._process).set(value())

    def _run(self) -> None:
        while True:
            time.sleep(INTERVAL)
            self.flush()
