"""The warehouse on a real Spark: changes at once, dropped versions, URLs, a server that ended."""

from pathlib import Path

import pyarrow as pa
import pytest
from pytest_django import Settings

from tests.spark_server import SparkServer, running
from transfers.exceptions import VersionRemoved, WarehouseBusy, WarehouseError, WarehouseUnavailable
from transfers.warehouses import Change, Snapshot, Warehouse, connect
from transfers.warehouses import spark_versions as versions
from transfers.warehouses.spark_address import Address
from transfers.warehouses.spark_session import Session

ROW = pa.table({"n": [1]})


def append_both(warehouse: Warehouse, slow: Change) -> None:
    """Append to a change, and to another one that begins later and ends first."""
    slow.append("t", ROW.schema, ROW.to_batches(), "2")
    with warehouse.change() as fast:
        fast.append("t", ROW.schema, ROW.to_batches(), "3")


def read_dropped(server: SparkServer, source: Snapshot) -> None:
    server.run(f"DROP TABLE {source.version}")
    list(source.batches(["n"], ["n"]))


@pytest.mark.deep
@pytest.mark.spark
def test_of_two_changes_at_once_one_fails_and_no_row_is_lost(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        warehouse = connect(server.url)
        with warehouse.change() as change:
            change.append("t", ROW.schema, ROW.to_batches(), "1")
        with pytest.raises(WarehouseBusy, match="t was changed"), warehouse.change() as slow:
            append_both(warehouse, slow)
        with warehouse.change() as change:  # rows whose key is known are skipped
            for key in ("2", "3"):
                change.append("t", ROW.schema, ROW.to_batches(), key)
        with warehouse.snapshot("t") as source:
            assert source.rows == 3
        with pytest.raises(VersionRemoved), warehouse.snapshot("t") as source:
            read_dropped(server, source)
        server.run("CREATE TABLE others USING parquet AS SELECT 1 AS n")
        with pytest.raises(WarehouseError) as refused:
            warehouse.version("others")
        assert "pinned=False" in refused.value.advice
        with warehouse.snapshot("others", pinned=False) as source:
            assert source.rows == 1
        with Session(Address.of(server.url)) as session:
            assert not [n for n in versions.tables(session) if n not in ("t", "others")]
    with pytest.raises(WarehouseUnavailable, match="did not respond"):
        warehouse.tables()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("spark://user:secret@h/c/s", "contains credentials"),
        ("spark://h/c/s?token=secret", "contains credentials"),
        ("spark://h/c", "is not of the form"),
        ("spark://h/c/s?x=1", "unknown parameters: x"),
        ("spark://h/c/s?tls=maybe", "neither true nor false"),
        ("spark://h/c/s?files=here", "not an absolute path"),
        ("spark://h/c/s", "would travel to h unencrypted"),
    ],
)
def test_a_wrong_url_is_refused_without_its_secrets(
    url: str, problem: str, settings: Settings
) -> None:
    settings.SPARK_TOKEN = "t"
    with pytest.raises(WarehouseError, match=problem) as refused:
        connect(url)
    assert "secret" not in refused.value.full_message
