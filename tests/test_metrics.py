"""Metrics: of all web processes together, of the worker, of the platform; dashboard and rules."""

import os
import re
import signal
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from airsense.data_folder import PROJECT
from airsense.metrics import folder
from flights.tables import NAMES
from tests.monitoring import MONITORING, expressions, rules
from tests.platform import Platform, Site, free_port, until
from tests.platforms import own_platform
from transfers.models import Transfer

TOKEN = {"METRICS_TOKEN": "the token of a test's metrics"}
BEARER = {"Authorization": f"Bearer {TOKEN['METRICS_TOKEN']}"}
QUERY = "/api/airlines/?limit=3"
# Of Prometheus itself.
ITS_OWN = {"up"}

type Samples = dict[str, dict[frozenset[tuple[str, str]], float]]


@pytest.fixture(scope="module")
def own() -> Iterator[Platform]:
    with own_platform(**TOKEN) as own:
        own.ingest("2013-01-07,Alpha,X,Y,10,5\n2013-01-08,Beta,Y,X,1,2")
        yield own


@pytest.fixture(scope="module")
def worker() -> Site:
    return Site(f"http://127.0.0.1:{free_port()}")


@pytest.fixture(scope="module")
def site(own: Platform, worker: Site) -> Iterator[Site]:
    """Two web processes, and a worker that has made a transfer."""
    port = worker.url.rpartition(":")[2]
    with own.running("worker", f"--metrics-port={port}"), own.site(2) as site:
        token = own.token()
        own.manage("transfer", "delays_by_day")
        site.request(
            "POST",
            "/api/transfers/",
            b'{"tables": ["airlines"]}',
            **{"Authorization": f"Token {token}", "Content-Type": "application/json"},
        )
        until(lambda: site.get(QUERY).status == 200, 60)
        yield site


def scrape(site: Site, **headers: str) -> Samples:
    """The samples of a scrape by name and labels."""
    text = site.get("/metrics", **headers).body.decode()
    samples: Samples = defaultdict(dict)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples[sample.name][frozenset(sample.labels.items())] = sample.value
    return samples


def total(samples: Samples, name: str, **labels: str) -> float:
    """The sum of the samples with these labels."""
    return sum(
        value for found, value in samples[name].items() if labels.items() <= dict(found).items()
    )


def test_each_scrape_counts_the_requests_of_all_processes(site: Site) -> None:
    labels = {"route": "/api/delays_by_day/", "status": "200"}
    before = total(scrape(site, **BEARER), "airsense_requests_total", **labels)
    caches = [
        site.get("/api/delays_by_day/?limit=2").headers["x-airsense-cache"] for _ in range(30)
    ]
    assert caches.count("miss") == 2  # each process once

    def counted() -> bool:
        values = [scrape(site, **BEARER) for _ in range(6)]
        sums = {total(v, "airsense_requests_total", **labels) - before for v in values}
        misses = {total(v, "airsense_requests_total", **labels, cache="miss") for v in values}
        return sums == {30} and misses == {2}

    until(counted)
    samples = scrape(site, **BEARER)
    assert len(samples["airsense_cache_bytes"]) == 2
    assert total(samples, "airsense_request_seconds_count", route="/api/delays_by_day/") == 2


def test_without_the_token_only_the_figures_of_the_cache_are_public(site: Site) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        names = set(scrape(site, **headers))
        assert names
        assert all(name.startswith(("airsense_answers", "airsense_cache_")) for name in names)


def test_the_platform_reports_tables_transfers_and_pools(site: Site) -> None:
    # A scrape may share a result of the last seconds.
    until(lambda: total(scrape(site, **BEARER), "airsense_table_rows", table="delays_by_day") == 2)
    samples = scrape(site, **BEARER)
    assert total(samples, "airsense_transfers_total", status="succeeded") == 2
    # From the beginning, because Prometheus does not count a first value as an increase.
    assert len(samples["airsense_transfers_total"]) == len(NAMES) * len(Transfer.ENDED)
    assert total(samples, "airsense_transfers_seconds_total", table="airlines", phase="copying") > 0
    assert total(samples, "airsense_postgresql_up") == total(samples, "airsense_valkey_up") == 1
    assert total(samples, "airsense_query_slots", kind="heavy") == 1
    assert total(samples, "airsense_database_connections") > 1


def test_a_worker_reports_the_tasks_that_it_ran(site: Site, worker: Site) -> None:
    labels = {"task": "transfers.tasks.transfer", "outcome": "succeeded"}
    count = "airsense_task_seconds_count"
    until(lambda: total(scrape(worker, **BEARER), count, **labels) >= 1)
    assert "airsense_task_seconds_count" not in scrape(worker)
    assert worker.get("/").status == 404


def test_each_metric_of_the_dashboard_and_of_the_rules_exists(site: Site, worker: Site) -> None:
    names = {*scrape(site, **BEARER), *scrape(worker, **BEARER)}
    used = {name for expression in expressions() for name in named(expression)}
    assert used - ITS_OWN - names == set()
    families = {re.sub("_(total|bucket|count|sum|created)$", "", name) for name in names}
    page = (PROJECT / "docs" / "monitoring.md").read_text()
    assert {name for name in families if name not in page} == set()


def test_the_rules_say_what_happens_and_for_whom() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule
        assert rule["annotations"]["summary"].endswith("."), rule
    prometheus = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    assert [(MONITORING / name).exists() for name in prometheus["rule_files"]] == [True]


def named(expression: str) -> set[str]:
    """The metrics of a query; fails if its syntax is wrong."""
    promql_parser.parse(expression)
    return set(re.findall(r"\b(airsense_\w+|up)\b", expression))


def test_the_next_server_removes_the_metrics_that_a_killed_one_left_in_memory(
    own: Platform,
) -> None:
    with own.running("serve", f"--port={free_port()}", "--processes=1") as server:
        until(lambda: _folders_of(server.pid), 60)
        (left,) = _folders_of(server.pid)
        os.killpg(server.pid, signal.SIGKILL)
    assert left.exists()
    with own.site(1) as site:
        assert not left.exists()
        assert "airsense_requests_total" in site.get("/metrics", **BEARER).body.decode()


def _folders_of(process: int) -> list[Path]:
    """The folders with metrics whose lock a process has open."""
    files = Path(f"/proc/{process}/fd").iterdir()
    names = [os.path.realpath(file) for file in files]  # of a closed file, that of its number
    return [Path(name).parent for name in names if name.endswith(f"/{folder.LOCK}")]
