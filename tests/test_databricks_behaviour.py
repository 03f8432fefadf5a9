"""What real Databricks workspaces, clouds and networks do: each behaviour of docs/databricks.md."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pytest_django import Settings

from tests.platform import COLUMNS, Platform
from tests.warehouse.running import WarehouseServer
from transfers import broker, inspection
from transfers.exceptions import SourceMissing, WarehouseError, WarehouseUnavailable
from transfers.ingest.raw_table import ingest
from transfers.load import columns
from transfers.warehouses import Warehouse, connect

NO_HISTORY = "OPERATION_NOT_ALLOWED: DESCRIBE HISTORY is not allowed."
ROWS = 60_000
USUAL: dict[str, Any] = {
    "links": True,
    "link_seconds": 900.0,
    "file_rows": 10_000,
    "storage": "",
    "arrow_schema": True,
    "without_history": {},
}


@pytest.fixture
def warehouse(warehouse_server: WarehouseServer, settings: Settings) -> Iterator[Warehouse]:
    """A warehouse with a table of many rows."""
    warehouse_server.configure(settings)
    warehouse_server.set(**USUAL)
    opened = connect(warehouse_server.url)
    if "numbers" not in opened.tables():
        with opened.change() as change:
            change.execute(f"CREATE TABLE numbers AS SELECT id AS n FROM range({ROWS}) AS r(id)")
    yield opened
    warehouse_server.clear_faults()
    warehouse_server.set(**USUAL)


def numbers(batches: Iterator[pa.RecordBatch]) -> list[int]:
    return [n for batch in batches for n in batch["n"].to_pylist()]


def total(warehouse: Warehouse) -> int:
    with warehouse.snapshot("numbers") as source:
        return sum(batch.num_rows for batch in source.batches(["n"], ["n"]))


@pytest.mark.parametrize("do", ["cut", "lost", "session-lost", "page", "half"])
def test_a_read_that_breaks_midway_continues_after_its_last_row(
    warehouse_server: WarehouseServer, warehouse: Warehouse, do: str
) -> None:
    warehouse_server.set(links=False)
    with warehouse.snapshot("numbers") as source:
        batches = source.batches(["n"], ["-n"])
        first = next(batches)
        warehouse_server.fault("FetchResults", do)
        assert numbers(iter([first, *batches])) == list(range(ROWS))[::-1]


def test_links_that_expire_during_a_slow_read_are_replaced(
    warehouse_server: WarehouseServer, warehouse: Warehouse
) -> None:
    warehouse_server.set(link_seconds=2.0)
    with warehouse.snapshot("numbers") as source:
        statements = warehouse_server.log()["calls"].count("ExecuteStatement")
        batches = source.batches(["n"], ["-n"])
        first = next(batches)
        time.sleep(2.5)
        assert numbers(iter([first, *batches])) == list(range(ROWS))[::-1]
    assert warehouse_server.log()["calls"].count("ExecuteStatement") >= statements + 2


@pytest.mark.parametrize("do", ["page", "half"])
def test_a_page_or_half_a_file_instead_of_a_result_is_retried(
    warehouse_server: WarehouseServer, warehouse: Warehouse, do: str
) -> None:
    warehouse_server.fault("file", do)
    assert total(warehouse) == ROWS
    warehouse_server.fault("file", do, times=99)
    with pytest.raises(WarehouseUnavailable, match="is not a result, but a part of one") as broken:
        total(warehouse)
    assert "proxy" in broken.value.advice


@pytest.mark.deep  # the connector retries for many seconds
def test_an_unreachable_storage_is_named_and_can_be_avoided(
    warehouse_server: WarehouseServer, warehouse: Warehouse, settings: Settings
) -> None:
    warehouse_server.set(storage="http://localhost:9")
    with pytest.raises(WarehouseUnavailable, match="storage of results, localhost, did") as away:
        total(warehouse)
    assert "DATABRICKS_CLOUDFETCH=false" in away.value.advice
    settings.DATABRICKS_CLOUDFETCH = False
    assert total(connect(warehouse_server.url)) == ROWS


def test_an_ip_access_list_is_distinguished_from_wrong_credentials(
    warehouse_server: WarehouseServer, warehouse: Warehouse
) -> None:
    reason = "Source IP address: 10.0.0.7 is blocked by Databricks IP ACL for workspace: 42"
    warehouse_server.fault("OpenSession", "403", headers={"x-databricks-reason-phrase": reason})
    with pytest.raises(WarehouseError, match="does not accept connections from this") as blocked:
        connect(warehouse_server.url).tables()
    assert "IP access list" in blocked.value.advice
    assert not blocked.value.transient


@pytest.mark.parametrize(
    ("create", "error"),
    [
        ("VIEW", ""),
        ("TABLE", "UNSUPPORTED_FEATURE: Row filters and column masks do not allow time travel."),
        pytest.param("TABLE", f"STREAMING_TABLE_{NO_HISTORY}", marks=pytest.mark.deep),
        pytest.param("TABLE", f"MATERIALIZED_VIEW_{NO_HISTORY}", marks=pytest.mark.deep),
    ],
)
def test_a_source_without_versions_is_refused_unless_it_is_declared_unpinned(
    warehouse_server: WarehouseServer, warehouse: Warehouse, create: str, error: str
) -> None:
    name = f"latest_{len(error)}"
    with warehouse.change() as change:
        change.execute(f"CREATE {create} {name} AS SELECT n, 'x' AS `first name` FROM numbers")
    warehouse_server.set(without_history={name: error} if error else {})
    with (
        pytest.raises(WarehouseError, match=f"{name} cannot be read at one version") as refused,
        warehouse.snapshot(name),
    ):
        pass
    assert "pinned=False" in refused.value.advice
    assert not refused.value.transient
    versions = set()
    for _ in range(2):
        with warehouse.snapshot(name, pinned=False) as source:
            assert source.rows == ROWS
            assert "was not read at a version" in source.notes[0]
            versions.add(source.version)
            batches = source.batches(["n"], ["n"])
            next(batches)
            if create == "VIEW" and len(versions) == 1:  # others change what the view reads
                with warehouse.change() as change:
                    change.execute("INSERT INTO numbers VALUES (-1)")
                    change.execute("DELETE FROM numbers WHERE n = -1")
            rest = sum(batch.num_rows for batch in batches)
            figures = source.figures(source.schema, source.schema.names)
            assert (figures["rows"], rest > 0) == (str(ROWS), True)
            assert "pinned=False" in inspection.model(name, source, pinned=False)
    assert len(versions) == 1  # the same rows
    assert not [table for table in warehouse.tables() if "copy" in table]


def test_a_missing_source_without_versions_is_named(warehouse: Warehouse) -> None:
    with (
        pytest.raises(SourceMissing, match="no table gone"),
        warehouse.snapshot("gone", pinned=False),
    ):
        pass


@pytest.mark.parametrize("links", [True, False])
def test_results_that_are_not_described_in_arrow_keep_their_types(
    warehouse_server: WarehouseServer, warehouse: Warehouse, links: bool
) -> None:
    table = pa.table(
        {
            "n": pa.array([1], pa.int64()),
            "instant": pa.array(
                [datetime(2024, 3, 10, 2, 30, tzinfo=UTC)], pa.timestamp("us", "UTC")
            ),
            "local": pa.array([datetime(2024, 3, 10, 2, 30)], pa.timestamp("us")),
        }
    )
    if "times" not in warehouse.tables():
        with warehouse.change() as change:
            change.append("times", table.schema, table.to_batches(), "1")
    warehouse_server.set(arrow_schema=False, links=links)
    with warehouse.snapshot("times") as source:
        assert source.schema == table.schema
        batches = source.batches(table.schema.names, ["n"])
        assert pa.Table.from_batches(batches) == table


def test_a_statement_that_takes_too_long_is_reported_with_the_remedy(
    warehouse_server: WarehouseServer, warehouse: Warehouse
) -> None:
    warehouse_server.fault("results", "timed-out", sql="ORDER BY")
    with pytest.raises(WarehouseError, match="exceeded the configured timeout") as late:
        total(warehouse)
    assert "STATEMENT_TIMEOUT" in late.value.advice
    assert not late.value.transient


def test_names_with_spaces_and_reserved_words_in_other_schemas_are_read(
    warehouse_server: WarehouseServer, warehouse: Warehouse
) -> None:
    warehouse_server.schema("other place")
    path = "main.`other place`.`order`"
    with warehouse.change() as change:
        change.execute(f"CREATE OR REPLACE TABLE {path} AS SELECT 1 AS `group`, 'x' AS `the name`")
    with warehouse.snapshot(path) as source:
        rows = pa.Table.from_batches(source.batches(["group", "the name"], ["-group"]))
        assert rows.to_pylist() == [{"group": 1, "the name": "x"}]
        assert source.figures(source.schema, source.schema.names)["rows"] == "1"
        declared = pa.schema([("Group", pa.int32()), ("the_name", pa.string())])
        assert columns.check(declared, source.schema, "order").names == ["group", "the name"]
        model = inspection.model(path, source)
    assert 'db_table = "order"' in model
    assert f'source="{path}"' in model
    assert 'db_column="the_name"' in model


def test_a_version_that_vacuum_removes_during_a_read_is_replaced_by_the_newest_once(
    warehouse_server: WarehouseServer, warehouse: Warehouse, fresh: Platform, tmp_path: Path
) -> None:
    own = warehouse_server.schema("vacuum")
    fresh.env |= own.env
    file = tmp_path / "raw.csv"
    file.write_text(f"{COLUMNS}\n2013-01-07,Alpha,A,B,10,20\n2013-01-08,Beta,B,A,-5,\n")
    ingest(connect(own.url), [file])
    broker.build(connect(own.url))
    warehouse_server.fault("results", "vacuumed", sql="ORDER BY")
    assert "2 rows" in fresh.manage("transfer", "delays_by_day")
    warehouse_server.fault("results", "vacuumed", sql="ORDER BY", times=2)
    again = fresh.attempt("transfer", "airline_performance")
    assert again.returncode == 1
    assert "VACUUM removed the version" in again.stdout + again.stderr
