"""A fixture for tests that hold for each kind of warehouse."""

import uuid
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.warehouse.running import WarehouseServer
from transfers.warehouses import Warehouse, connect


@pytest.fixture(params=["embedded", "databricks"])
def each_warehouse(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    settings: Settings,
    warehouse_server: WarehouseServer,
) -> Warehouse:
    """An empty warehouse of each kind."""
    if request.param == "embedded":
        return connect(f"duckdb://{tmp_path}/warehouse")
    own = warehouse_server.schema(f"each_{uuid.uuid4().hex}")
    own.configure(settings)
    return connect(own.url)
