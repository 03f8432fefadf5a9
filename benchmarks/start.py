"""Measure how long the web server takes to start, and the memory of each process."""

import statistics
from contextlib import ExitStack

from benchmarks import report, wrk
from benchmarks.target import Target, running_target
from tests import processes
from tests.platform import until

RUNS = 3


def run(target: Target, seconds: float) -> list[str]:
    starts = [_start_seconds(target) for _ in range(RUNS)]
    with ExitStack() as stack:
        others = {
            name: stack.enter_context(target.platform.started(name)).pid
            for name in ("worker", "beat")
        }
        webs = processes.children(target.pid)
        until(lambda: target.platform.attempt("status", *others).returncode == 0, 60)
        idle = {pid: _memory(pid) for pid in [target.pid, *webs]}
        wrk.measure(target.site.url, wrk.warm_paths(target), seconds, target.headers)
        lines = [
            ["web, main process", *idle[target.pid], *_memory(target.pid)],
            *(["web, worker process", *idle[pid], *_memory(pid)] for pid in webs),
            *(
                [name, *_memory(pid), "", ""]
                for name, main in others.items()
                for pid in (main, *processes.children(main))
            ),
        ]
    return [
        f"`manage.py serve` answers {statistics.median(starts):.1f} s after its start, with"
        f" {len(webs)} processes.",
        "",
        *report.table(["process", "RSS", "PSS", "RSS, warm", "PSS, warm"], lines),
    ]


def _start_seconds(target: Target) -> float:
    with running_target(target.platform) as other:
        return other.start_seconds


def _memory(pid: int) -> list[str]:
    return [
        f"{megabytes(pid):.0f} MB" for megabytes in (processes.resident, processes.proportional)
    ]
