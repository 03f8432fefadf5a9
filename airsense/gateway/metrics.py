"""The cache's figures in Prometheus' text format. Each process has a cache, and its own figures."""

import os
import time
from typing import TYPE_CHECKING

from .entry import Reply

if TYPE_CHECKING:
    from . import Gateway


def show(gateway: "Gateway") -> Reply:
    process = f'process="{os.getpid()}"'
    seeing = time.monotonic() < gateway.watch.snapshot.valid_until
    lines = [
        "# TYPE airsense_answers_total counter",
        *(
            f'airsense_answers_total{{{process},cache="{how}"}} {count}'
            for how, count in gateway.counts.items()
        ),
        *_gauge("entries", process, len(gateway.store)),
        *_gauge("bytes", process, gateway.store.size),
        *_gauge("limit_bytes", process, gateway.store.limit),
        *_gauge("sees_versions", process, int(seeing)),
    ]
    headers = [("content-type", "text/plain; version=0.0.4; charset=utf-8")]
    return Reply("200 OK", headers, ["\n".join([*lines, ""]).encode()])


def _gauge(name: str, process: str, value: int) -> list[str]:
    full = f"airsense_cache_{name}"
    return [f"# TYPE {full} gauge", f"{full}{{{process}}} {value}"]
