"""The files of deploy/monitoring, read by Prometheus: rules, targets, the queries of the panels."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from airsense import parent_death
from airsense.data_folder import PROJECT
from tests.monitoring import MONITORING, expressions, rules
from tests.platform import Site, free_port, until
from tests.platforms import own_platform

TOKEN = "the token of a Prometheus"

pytestmark = pytest.mark.deep


def program(name: str) -> str:
    path = shutil.which(name)
    assert path, "This needs Prometheus: apt-get install prometheus"
    return path


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Prometheus with the files of deploy/monitoring, which reads a web server and a worker."""
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    with own_platform(METRICS_TOKEN=TOKEN) as own, own.site(1) as site:
        own.ingest("2013-01-07,Alpha,X,Y,10,5")
        own.manage("transfer", "airlines")
        with own.running("worker", f"--metrics-port={port}"):
            file = configuration(folder, site.url.removeprefix("http://"), f"127.0.0.1:{port}")
            yield from running(file)


def configuration(folder: Path, web: str, worker: str) -> Path:
    """Write the files with the addresses of this machine, a token, and a scrape each second."""
    (folder / "token").write_text(TOKEN)
    shutil.copy(MONITORING / "alerts.yml", folder)
    changes = {
        "/etc/prometheus/airsense_metrics_token": str(folder / "token"),
        "web:8000": web,
        "worker:9101": worker,
        "scrape_interval: 15s": "scrape_interval: 1s\n  evaluation_interval: 1s",
    }
    text = (MONITORING / "prometheus.yml").read_text()
    for original, replacement in changes.items():
        assert original in text, original
        text = text.replace(original, replacement)
    file = folder / "prometheus.yml"
    file.write_text(text)
    return file


def running(file: Path) -> Iterator[Site]:
    """Run Prometheus during the test."""
    address = f"127.0.0.1:{free_port()}"
    command = [program("prometheus"), f"--config.file={file}", f"--web.listen-address={address}"]
    with subprocess.Popen(
        [*command, f"--storage.tsdb.path={file.parent}/data", "--log.level=error"],
        preexec_fn=partial(parent_death.end_with, os.getpid()),
    ) as process:
        try:
            until(lambda: is_ready(f"http://{address}"))
            yield Site(f"http://{address}/api/v1")
        finally:
            process.terminate()


def is_ready(url: str) -> bool:
    """Whether Prometheus has read its data; until then it refuses queries."""
    try:
        return Site(url).get("/-/ready").status == 200
    except OSError:  # it does not listen yet
        return False


def data(prometheus: Site, path: str) -> Any:
    """The data of a response; Prometheus says itself what it refuses."""
    response = prometheus.get(path).json()
    assert response["status"] == "success", response
    return response["data"]


def targets(prometheus: Site) -> list[tuple[str, str]]:
    active = data(prometheus, "/targets")["activeTargets"]
    return sorted((target["labels"]["job"], target["health"]) for target in active)


def test_the_rules_alert_in_the_cases_that_they_are_for() -> None:
    cases = PROJECT / "tests" / "data" / "alert_rules.yml"
    done = subprocess.run(
        [program("promtool"), "test", "rules", str(cases)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {rule["alert"] for rule in rules()} == {
        line.partition("alertname: ")[2].strip(" }")
        for line in cases.read_text().splitlines()
        if "alertname: " in line
    }


def test_prometheus_reads_web_server_and_worker(prometheus: Site) -> None:
    up = [("airsense", "up"), ("airsense-worker", "up")]
    until(lambda: targets(prometheus) == up)


def test_prometheus_evaluates_each_rule(prometheus: Site) -> None:
    def health() -> set[str]:
        (group,) = data(prometheus, "/rules")["groups"]
        return {rule["health"] for rule in group["rules"]}

    until(lambda: targets(prometheus) and health() == {"ok"})


def test_prometheus_answers_each_query_of_the_dashboard(prometheus: Site) -> None:
    until(lambda: data(prometheus, "/query?query=airsense_table_rows")["result"])
    for expression in expressions():
        data(prometheus, f"/query?query={quote(expression)}")
