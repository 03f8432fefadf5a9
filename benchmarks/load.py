"""The first AirSense's load test: users that come, think and go on, by Locust."""

import csv
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from airsense.data_folder import PROJECT
from benchmarks import plots, report
from benchmarks.peers.gateways import BIN
from benchmarks.target import Target

SPAWNED = 50  # users a second
SLOWEST = 100  # ms that 95 of 100 answers may take
HEAD = ["users", "requests", "requests/s", "failures", "p50", "p95", "p99", "target"]


class Scenario(NamedTuple):
    name: str
    user: str  # the class in locustfile.py
    users: int
    lanes: int  # how long it runs, in seconds of a lane

    @property
    def title(self) -> str:
        return f"{self.users:,} {self.name}"


SCENARIOS = [
    Scenario("visitors of pages", "Visitor", 1_000, 12),
    Scenario("visitors of pages", "Visitor", 6_000, 36),
    Scenario("users of the API", "Developer", 1_000, 12),
]


def run(target: Target, seconds: float) -> list[str]:
    rows: list[list[str]] = []
    parts: list[list[str]] = []
    failed: list[str] = []
    panels: list[plots.Panel] = []
    for scenario in SCENARIOS:
        with tempfile.TemporaryDirectory() as folder:
            _locust(target, scenario, scenario.lanes * seconds, Path(folder) / "found")
            stats, history, failures = (
                _read(Path(folder) / f"found_{what}.csv")
                for what in ("stats", "stats_history", "failures")
            )
        rows.append(_row(scenario, stats[-1], history))
        parts += [_part(scenario, line) for line in stats[:-1]]
        failed += [_failure(scenario, line) for line in failures]
        panels += _panels(scenario, history)
    plots.lines("load", panels)
    return [
        *report.table(HEAD, rows),
        "",
        *report.table(["", "what", *HEAD[1:-1]], parts),
        "",
        *failed,
        "",
        "![Users, requests a second and their times while the tests ran](benchmarks/load.svg)",
    ]


def _locust(target: Target, scenario: Scenario, seconds: float, prefix: Path) -> None:
    """It ends with 1 where requests failed, which the table then says."""
    done = subprocess.run(
        [
            *(BIN / "locust", "--locustfile=benchmarks/locustfile.py", scenario.user),
            *("--headless", f"--host={target.site.url}", "--only-summary", "--loglevel=ERROR"),
            *(f"--users={scenario.users}", f"--spawn-rate={SPAWNED}", f"--csv={prefix}"),
            *(f"--run-time={seconds:.0f}s", "--stop-timeout=10"),
        ],
        cwd=PROJECT,
        env={**os.environ, "HEADERS": json.dumps(target.headers)},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode in (0, 1), done.stdout


def _read(file: Path) -> list[dict[str, str]]:
    with file.open() as lines:
        return list(csv.DictReader(lines))


def _row(scenario: Scenario, total: dict[str, str], history: list[dict[str, str]]) -> list[str]:
    reached = max(int(line["User Count"]) for line in history)
    held = total["Failure Count"] == "0" and float(total["95%"]) <= SLOWEST
    came = scenario.title if reached == scenario.users else f"{scenario.title}, {reached:,} came"
    return [came, *_figures(total), "held" if held else "missed"]


def _part(scenario: Scenario, line: dict[str, str]) -> list[str]:
    return [scenario.title, f"`{line['Name']}`", *_figures(line)]


def _failure(scenario: Scenario, line: dict[str, str]) -> str:
    return (
        f"- failed, {scenario.title}: `{line['Name']}` {line['Occurrences']} times, {line['Error']}"
    )


def _figures(line: dict[str, str]) -> list[str]:
    times = [f"{line[name]} ms" for name in ("50%", "95%", "99%")]
    counted = [report.number(float(line[name])) for name in ("Request Count", "Requests/s")]
    return [*counted, line["Failure Count"], *times]


def _panels(scenario: Scenario, history: list[dict[str, str]]) -> list[plots.Panel]:
    began = int(history[0]["Timestamp"])
    known = [line for line in history if line["95%"] != "N/A"]

    def line(name: str) -> list[tuple[float, float]]:
        return [(int(point["Timestamp"]) - began, float(point[name])) for point in known]

    x = f"seconds, {scenario.title}"
    load = {"users": line("User Count"), "requests/s": line("Requests/s")}
    return [
        {"x": x, "y": "", "log": False, "lines": load},
        {"x": x, "y": "ms", "log": False, "lines": {"p50": line("50%"), "p95": line("95%")}},
    ]
