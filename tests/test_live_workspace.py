"""The pipeline on a Databricks workspace with a disposable schema: `make test-live`."""

import os

import pytest

from tests.platform import Platform
from tests.test_databricks import RECORDS
from transfers import broker

pytestmark = pytest.mark.live


def test_the_pipeline_runs_on_a_workspace(fresh: Platform) -> None:
    url = os.environ.get("LIVE_WAREHOUSE_URL", "")
    if not url.startswith("databricks://"):
        pytest.fail("Set LIVE_WAREHOUSE_URL and credentials: docs/databricks.md says how.")
    fresh.ingest(RECORDS)
    fresh.manage("transfer", "--all")
    with fresh.site(processes=1) as site:
        local = {table: site.get(f"/api/{table}/").json()["results"] for table in broker.TABLES}
        file = str(fresh.warehouse / "raw.csv")
        fresh.env |= {"WAREHOUSE_URL": url}
        fresh.manage("ingest", "--replace", file)
        fresh.manage("broker")
        fresh.manage("transfer", "--all")
        assert "unchanged" in fresh.manage("transfer", "delays_by_day")
        live = {table: site.get(f"/api/{table}/").json() for table in broker.TABLES}
    assert {table: answer["results"] for table, answer in live.items()} == local
    assert {answer["version"] for answer in live.values()} == {2}
