"""Measure response times against the rate at which requests arrive, beyond the knee."""

import itertools
import subprocess
import sys
import tempfile
from array import array
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks import plots, queries, report, wrk
from benchmarks.target import Target

GENERATORS = 2  # processes that send requests; one is too slow
BOUND = 0.1  # seconds; the knee is the highest rate whose 99th percentile is below
RATES = {
    "warm": (500, 1_000, 2_500, 5_000, 10_000, 20_000, 25_000, 30_000, 35_000, 40_000, 50_000),
    "cold": (100, 200, 400, 800, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000),
}


class Times(NamedTuple):
    rate: float  # requests per second
    p50: float  # seconds
    p99: float  # seconds
    failed: int


def run(target: Target, seconds: float) -> list[str]:
    measured = {
        "warm": _sweep(target, RATES["warm"], wrk.warm_paths(target), seconds),
        "cold": _sweep(target, RATES["cold"], None, seconds),
    }
    _plot(measured)
    lines = [
        [lane, report.number(t.rate), *map(_ms, (t.p50, t.p99)), report.number(t.failed)]
        for lane, times in measured.items()
        for t in times
    ]
    return [
        *(_knee(lane, times) for lane, times in measured.items()),
        "",
        *report.table(["lane", "requests/s arrive", "p50", "p99", "failed"], lines),
        "",
        "![Response times against the rate of requests](benchmarks/open_loop.svg)",
    ]


def _sweep(
    target: Target, rates: tuple[int, ...], paths: list[str] | None, seconds: float
) -> list[Times]:
    """Measure up to the first rate at which requests fail. Without paths all queries are new."""
    results: list[Times] = []
    for rate in rates:
        new = [queries.dynamic_query(q) for q in queries.distinct(int(rate * seconds) + 1)]
        results.append(_measure(target, rate, paths or new, seconds))
        if results[-1].failed:
            break
    return results


def _measure(target: Target, rate: float, paths: list[str], seconds: float) -> Times:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        processes = []
        for number in range(GENERATORS):
            file = Path(folder) / f"{number}"
            file.write_bytes(_requests(paths[number::GENERATORS], target.headers))
            command = [urlsplit(target.site.url).port, rate / GENERATORS, seconds, file]
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.arrivals", *map(str, command)],
                stdout=subprocess.PIPE,
            )
            processes.append(stack.enter_context(process))
        times = sorted(t for process in processes for t in array("d", process.communicate()[0]))
    assert not any(process.returncode for process in processes), "a generator failed"
    failed = times.count(float("inf"))
    return Times(rate, times[len(times) // 2], times[len(times) * 99 // 100], failed)


def _requests(paths: list[str], headers: dict[str, str]) -> bytes:
    lines = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
    head = f" HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}".strip()
    return "\r\n\r\n".join(f"GET {path} {head}" for path in paths).encode()


def _knee(lane: str, times: list[Times]) -> str:
    within = list(itertools.takewhile(lambda t: t.p99 <= BOUND and not t.failed, times))
    best = f"{within[-1].rate:,.0f} requests/s" if within else "none of these rates"
    return f"- {lane}: {best} with 99 % of responses within {BOUND * 1000:.0f} ms."


def _ms(seconds: float) -> str:
    return "" if seconds == float("inf") else f"{1000 * seconds:,.1f} ms"


def _plot(measured: dict[str, list[Times]]) -> None:
    def lines(times: list[Times]) -> dict[str, list[tuple[float, float]]]:
        answered = [t for t in times if t.p99 < float("inf")]
        return {
            "p50": [(t.rate, 1000 * t.p50) for t in answered],
            "p99": [(t.rate, 1000 * t.p99) for t in answered],
        }

    plots.lines(
        "open_loop",
        [
            {"x": f"requests/s, {lane}", "y": "ms", "log": True, "lines": lines(times)}
            for lane, times in measured.items()
        ],
    )
