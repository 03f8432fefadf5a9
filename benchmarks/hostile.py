"""Measure response times while 1,500 slow clients send almost nothing."""

import http.client
import time
from contextlib import ExitStack, closing
from statistics import quantiles
from urllib.parse import urlsplit

from benchmarks import gateway, report
from benchmarks.target import Target
from tests import slow_clients
from tests.nginx import in_front_of
from tests.platform import Site

PER_KIND = 500  # slow clients of each kind in tests.slow_clients
PAUSE = 0.01  # seconds between requests of the measured client
MEASURED = {
    "health": "/healthz",
    "metrics": "/metrics",
    "a cached response": gateway.WARM,
    "a page of the admin": "/admin/login/",
}


def run(target: Target, seconds: float) -> list[str]:
    lines = [
        *_lines("none", target.site, seconds),
        *_attacked("1,500 slow clients", target.site, seconds),
    ]
    with in_front_of(target.site) as front:
        lines += _attacked("the same through nginx", front, seconds)
    return report.table(
        ["other clients", "response", "requests", "p50 ms", "p99 ms", "max ms"], lines
    )


def _attacked(clients: str, site: Site, seconds: float) -> list[list[str]]:
    with ExitStack() as attack:
        for begin in slow_clients.KINDS:
            attack.enter_context(slow_clients.renewed(site, PER_KIND, begin))
        time.sleep(2)  # until all clients are connected
        return _lines(clients, site, seconds)


def _lines(clients: str, site: Site, seconds: float) -> list[list[str]]:
    return [[clients, name, *_times(site, path, seconds)] for name, path in MEASURED.items()]


def _times(site: Site, path: str, seconds: float) -> list[str]:
    """Send requests by one client for `seconds`; return their number and times in ms."""
    end, times = time.monotonic() + seconds, list[float]()
    with closing(http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=30)) as client:
        while time.monotonic() < end:
            started_at = time.perf_counter()
            client.request("GET", path)
            response = client.getresponse()
            response.read()
            times.append((time.perf_counter() - started_at) * 1_000)
            assert response.status == 200, path
            time.sleep(PAUSE)
    cuts = quantiles(times, n=100)
    return [f"{len(times):,}", *(f"{value:.1f}" for value in (cuts[49], cuts[98], max(times)))]
