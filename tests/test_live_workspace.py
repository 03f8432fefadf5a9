"""The pipeline in a disposable schema of a Databricks workspace or a Spark cluster.

`make test-live` runs it; docs/databricks.md says which variables it reads.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from airsense.data_folder import PROJECT
from tests.pipeline import SECONDS, publish, versions
from tests.platform import Platform
from tests.test_databricks import RECORDS
from transfers import broker

pytestmark = pytest.mark.live

VARIABLES = {"databricks": "LIVE_WAREHOUSE_URL", "spark": "LIVE_SPARK_URL"}


def live_url(scheme: str) -> str:
    """The URL of a warehouse that the caller names; skip the test if there is only another one."""
    urls = {kind: os.environ.get(name, "") for kind, name in VARIABLES.items()}
    if not any(urls.values()):
        pytest.fail("Set LIVE_WAREHOUSE_URL or LIVE_SPARK_URL: docs/databricks.md says how.")
    if not urls[scheme]:
        pytest.skip(f"{VARIABLES[scheme]} is not set")
    assert urlsplit(urls[scheme]).scheme == scheme, VARIABLES[scheme]
    return urls[scheme]


@pytest.mark.parametrize("scheme", VARIABLES)
def test_the_pipeline_runs_on_a_workspace_or_a_cluster(scheme: str, fresh: Platform) -> None:
    url = live_url(scheme)
    fresh.ingest(RECORDS)
    fresh.manage("transfer", "--all")
    with fresh.site(processes=1) as site:
        local = {table: site.get(f"/api/{table}/").json()["results"] for table in broker.TABLES}
        published = versions(fresh)
        file = str(fresh.warehouse / "raw.csv")
        fresh.env |= {"WAREHOUSE_URL": url}
        publish(fresh, file)
        assert "unchanged" in fresh.manage("transfer", "delays_by_day", seconds=SECONDS)
        live = {table: site.get(f"/api/{table}/").json() for table in broker.TABLES}
    assert {table: response["results"] for table, response in live.items()} == local
    assert {response["version"] for response in live.values()} == {2}
    assert versions(fresh) == published


def test_the_job_of_the_bundle_builds_the_tables_of_the_broker(fresh: Platform) -> None:
    url = live_url("databricks")
    assert shutil.which("databricks"), "Install Databricks' command line tool."
    file = str(fresh.csv(RECORDS))
    fresh.env |= {"WAREHOUSE_URL": url}
    publish(fresh, file)
    published = versions(fresh)
    variables = bundle_variables(url)
    bundle(url, "validate", variables)
    bundle(url, "deploy", variables)
    try:
        bundle(url, "run", "broker", variables)
    finally:
        bundle(url, "destroy", "--auto-approve", variables)
    fresh.manage("transfer", "--all", seconds=SECONDS)
    assert versions(fresh) == published


def bundle_variables(url: str) -> str:
    """The variables of the bundle for a WAREHOUSE_URL, such as catalog=main,schema=airsense."""
    parts = urlsplit(url)
    _, catalog, schema = parts.path.split("/")
    (path,) = parse_qs(parts.query)["http_path"]
    return f"catalog={catalog},schema={schema},warehouse_id={path.rpartition('/')[2]}"


def bundle(url: str, *arguments: Any) -> None:
    *command, variables = arguments
    subprocess.run(
        ["databricks", "bundle", *command, "--target", "production", "--var", variables],
        cwd=Path(PROJECT, "deploy", "databricks"),
        env={**os.environ, "DATABRICKS_HOST": f"https://{urlsplit(url).hostname}"},
        check=True,
        timeout=SECONDS,
    )
