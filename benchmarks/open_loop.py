"""Times of answers against the rate at which requests arrive, up to the knee and beyond."""

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

GENERATORS = 2  # processes; one cannot ask fast enough
BOUND = 0.1  # seconds within which 99 of 100 answers come, up to the knee
RATES = {
    "warm": (500, 1_000, 2_500, 5_000, 10_000, 20_000, 25_000, 30_000, 35_000, 40_000, 50_000),
    "cold": (100, 200, 400, 800, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000),
}


class Times(NamedTuple):
    rate: float
    p50: float  # seconds, as the next
    p99: float
    failed: int


def run(target: Target, seconds: float) -> list[str]:
    measured = {
        "warm": _sweep(target, RATES["warm"], wrk.warmed(target), seconds),
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
        "![Times of answers against the rate of requests](benchmarks/open_loop.svg)",
    ]


def _sweep(
    target: Target, rates: tuple[int, ...], paths: list[str] | None, seconds: float
) -> list[Times]:
    """Up to the first rate at which requests fail; without paths all are new."""
    found: list[Times] = []
    for rate in rates:
        new = [queries.dynamic_query(q) for q in queries.distinct(int(rate * seconds) + 1)]
        found.append(_at(target, rate, paths or new, seconds))
        if found[-1].failed:
            break
    return found


def _at(target: Target, rate: float, paths: list[str], seconds: float) -> Times:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        started = []
        for number in range(GENERATORS):
            file = Path(folder) / f"{number}"
            file.write_bytes(_requests(paths[number::GENERATORS], target.headers))
            command = [urlsplit(target.site.url).port, rate / GENERATORS, seconds, file]
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.arrivals", *map(str, command)],
                stdout=subprocess.PIPE,
            )
            started.append(stack.enter_context(process))
        took = sorted(t for process in started for t in array("d", process.communicate()[0]))
    assert not any(process.returncode for process in started), "a generator failed"
    failed = took.count(float("inf"))
    return Times(rate, took[len(took) // 2], took[len(took) * 99 // 100], failed)


def _requests(paths: list[str], headers: dict[str, str]) -> bytes:
    named = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
    head = f" HTTP/1.1\r\nHost: 127.0.0.1\r\n{named}".strip()
    return "\r\n\r\n".join(f"GET {path} {head}" for path in paths).encode()


def _knee(lane: str, times: list[Times]) -> str:
    held = list(itertools.takewhile(lambda t: t.p99 <= BOUND and not t.failed, times))
    best = f"{held[-1].rate:,.0f} requests/s" if held else "none of these rates"
    return f"- {lane}: {best} with 99 of 100 answers within {BOUND * 1000:.0f} ms."


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
