"""Run the first AirSense's load test with Locust: users who read, pause and continue."""

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

SPAWN_RATE = 50  # new users per second
SLOWEST = 100  # ms; the target for the 95th percentile
HEAD = ["users", "requests", "requests/s", "failures", "p50", "p95", "p99", "target"]


class Scenario(NamedTuple):
    name: str
    user: str  # the class in locustfile.py
    users: int
    duration: int  # in units of `--seconds`

    @property
    def title(self) -> str:
        return f"{self.users:,} {self.name}"


SCENARIOS = [
    Scenario("visitors of pages", "Visitor", 1_000, 12),
    Scenario("visitors of pages", "Visitor", 6_000, 36),
    Scenario("users of the API", "Developer", 1_000, 12),
]


def run(target: Target, seconds: float) -> list[str]:
    totals: list[list[str]] = []
    endpoints: list[list[str]] = []
    failures: list[str] = []
    panels: list[plots.Panel] = []
    for scenario in SCENARIOS:
        with tempfile.TemporaryDirectory() as folder:
            _locust(target, scenario, scenario.duration * seconds, Path(folder) / "run")
            stats, history, errors = (
                _read(Path(folder) / f"run_{name}.csv")
                for name in ("stats", "stats_history", "failures")
            )
        totals.append(_total(scenario, stats[-1], history))
        endpoints += [_endpoint(scenario, line) for line in stats[:-1]]
        failures += [_failure(scenario, line) for line in errors]
        panels += _panels(scenario, history)
    plots.lines("load", panels)
    return [
        *report.table(HEAD, totals),
        "",
        *report.table(["", "what", *HEAD[1:-1]], endpoints),
        "",
        *failures,
        "",
        "![Users, requests a second and their times while the tests ran](benchmarks/load.svg)",
    ]


def _locust(target: Target, scenario: Scenario, seconds: float, prefix: Path) -> None:
    """Run a scenario. Locust exits with 1 if requests failed; the tables then show them."""
    done = subprocess.run(
        [
            *(BIN / "locust", "--locustfile=benchmarks/locustfile.py", scenario.user),
            *("--headless", f"--host={target.site.url}", "--only-summary", "--loglevel=ERROR"),
            *(f"--users={scenario.users}", f"--spawn-rate={SPAWN_RATE}", f"--csv={prefix}"),
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


def _total(scenario: Scenario, total: dict[str, str], history: list[dict[str, str]]) -> list[str]:
    reached = max(int(line["User Count"]) for line in history)
    met = total["Failure Count"] == "0" and float(total["95%"]) <= SLOWEST
    title = scenario.title
    if reached != scenario.users:
        title += f", only {reached:,} started"
    return [title, *_figures(total), "met" if met else "missed"]


def _endpoint(scenario: Scenario, line: dict[str, str]) -> list[str]:
    return [scenario.title, f"`{line['Name']}`", *_figures(line)]


def _failure(scenario: Scenario, line: dict[str, str]) -> str:
    return (
        f"- failed, {scenario.title}: `{line['Name']}` {line['Occurrences']} times, {line['Error']}"
    )


def _figures(line: dict[str, str]) -> list[str]:
    times = [f"{line[name]} ms" for name in ("50%", "95%", "99%")]
    counts = [report.number(float(line[name])) for name in ("Request Count", "Requests/s")]
    return [*counts, line["Failure Count"], *times]


def _panels(scenario: Scenario, history: list[dict[str, str]]) -> list[plots.Panel]:
    start = int(history[0]["Timestamp"])
    points = [line for line in history if line["95%"] != "N/A"]

    def line(name: str) -> list[tuple[float, float]]:
        return [(int(point["Timestamp"]) - start, float(point[name])) for point in points]

    x = f"seconds, {scenario.title}"
    load = {"users": line("User Count"), "requests/s": line("Requests/s")}
    return [
        {"x": x, "y": "", "log": False, "lines": load},
        {"x": x, "y": "ms", "log": False, "lines": {"p50": line("50%"), "p95": line("95%")}},
    ]
