"""The whole pipeline with each kind of warehouse: all of them publish the same tables."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests import national_data, spark_server
from tests.data import FLIGHTS_2008
from tests.pipeline import SECONDS, publish, versions
from tests.platform import Platform, Site
from tests.platforms import own_platform
from tests.warehouse import running
from transfers import broker

type Published = dict[str, Any]


def published(env: dict[str, str], file: Path = FLIGHTS_2008) -> Published:
    """Publish all tables from a warehouse, and return what people can read of them."""
    with own_platform() as own:
        platform = Platform(own.env | env)
        publish(platform, str(file))
        with platform.site(processes=1) as site:
            responses = {table: response(site, table) for table in broker.TABLES}
        return {"versions": versions(platform), "responses": responses}


def response(site: Site, table: str) -> tuple[list[Any], str]:
    """The first rows as JSON, and the hash of all rows as CSV."""
    page, rows = site.get(f"/api/{table}/"), site.get(f"/api/{table}/?format=csv")
    assert (page.status, rows.status) == (200, 200)
    return page.json()["results"], hashlib.sha256(rows.body).hexdigest()


@pytest.mark.deep
@pytest.mark.spark
@pytest.mark.timeout(4 * SECONDS)
def test_all_warehouses_publish_the_same(tmp_path: Path) -> None:
    embedded = published({})
    assert [row[0] for row in embedded["versions"]] == sorted(broker.TABLES)
    assert all(rows for _, rows, _ in embedded["versions"])
    with running.running(tmp_path) as databricks:
        assert published(databricks.env) == embedded
    with spark_server.running(tmp_path) as spark:
        assert published(spark.env) == embedded


@pytest.mark.deep
@pytest.mark.spark
@national_data.needed
@pytest.mark.timeout(4 * SECONDS)
def test_spark_publishes_the_same_national_tables_as_the_embedded_warehouse(tmp_path: Path) -> None:
    with own_platform() as embedded:
        publish(embedded, str(national_data.FILE))
        expected = versions(embedded)
    assert [row[0] for row in expected] == sorted(broker.TABLES)
    with spark_server.running(tmp_path) as spark, own_platform() as own:
        platform = Platform(own.env | {"WAREHOUSE_URL": f"{spark.url}?files={tmp_path}"})
        publish(platform, str(national_data.FILE))
        assert versions(platform) == expected
