"""Processes that are killed while they change tables of a real Spark: `make test-spark`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from tests.platform import COLUMNS, Platform, until
from tests.platforms import own_platform
from tests.spark_server import SparkServer, running
from tests.test_databricks import RECORDS
from transfers import broker
from transfers.ingest.raw_table import RAW, ingest
from transfers.warehouses import connect
from transfers.warehouses import spark_versions as versions
from transfers.warehouses.spark_address import Address
from transfers.warehouses.spark_session import Session

pytestmark = [pytest.mark.deep, pytest.mark.spark, pytest.mark.timeout(3000)]

SECONDS = 900
MORE = "2013-02-07,Alpha,A,B,1,2"
FLIGHTS = "flight_delay_data"
ROW = pa.table({"n": [1]})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SparkServer]:
    with running(tmp_path) as server:
        yield server


@pytest.fixture
def session(server: SparkServer) -> Iterator[Session]:
    with Session(Address.of(server.url)) as session:
        yield session


def records(folder: Path, name: str, lines: str) -> str:
    file = folder / name
    file.write_text(f"{COLUMNS}\n{lines}\n")
    return str(file)


def all_versions(session: Session, table: str = "") -> set[str]:
    """All versions of a table, also those that nothing shows; by default of all tables."""
    names = session.run("SHOW TABLES")["tableName"].to_pylist()
    return {
        n
        for n in names
        if n.startswith(versions.VERSION) and n.endswith(f"_{table}" if table else "")
    }


def rows(server: SparkServer, table: str) -> int:
    with connect(server.url).snapshot(table) as source:
        return source.rows


@contextmanager
def killed(
    platform: Platform, session: Session, table: str, *command: str, after: int
) -> Iterator[None]:
    """Kill a command when it has made `after` more versions of a table, which nothing shows yet.

    The command cannot finish earlier, because this test holds the lock of the table.
    """
    before = len(all_versions(session, table))
    with versions.locked(session, table), platform.running(*command) as process:
        until(lambda: len(all_versions(session, table)) >= before + after, SECONDS)
        assert process.poll() is None
        process.kill()
        process.wait()
        yield


def make_all_two_days_older(session: Session) -> None:
    """Rename all versions as if they were two days older."""
    current = {table: versions.current(session, table) for table in versions.tables(session)}
    for version in all_versions(session):
        session.execute(f"ALTER TABLE `{version}` RENAME TO `{older(version)}`")
    for table, version in current.items():
        session.execute(f"ALTER VIEW `{table}` AS SELECT * FROM `{older(version)}`")


def older(version: str) -> str:
    match = versions.NAME.fullmatch(version)
    assert match
    began = datetime.strptime(match[1], versions.TIME) - timedelta(days=2)
    return version.replace(match[1], f"{began:{versions.TIME}}")


def test_a_killed_ingest_changes_nothing_and_leaves_nothing_for_ever(
    server: SparkServer, session: Session, tmp_path: Path
) -> None:
    one, more = records(tmp_path, "one.csv", RECORDS), records(tmp_path, "more.csv", MORE)
    with own_platform() as own:
        platform = Platform(own.env | server.env)
        platform.manage("ingest", one, seconds=SECONDS)
        for tables in (1, 2):  # the rows of the file; the version with all rows
            with killed(platform, session, RAW, "ingest", "--append", more, after=tables):
                assert rows(server, RAW) == 2
        platform.manage("ingest", "--append", more, seconds=SECONDS)
    assert rows(server, RAW) == 3
    assert len(all_versions(session, RAW)) >= 5
    make_all_two_days_older(session)
    with connect(server.url).change() as change:
        current = {versions.current(session, table) for table in change.tables()}
    assert all_versions(session) == current
    assert {file.name for file in server.tables.iterdir()} == current


def test_readers_and_the_next_run_can_use_what_a_killed_broker_leaves(
    server: SparkServer, session: Session, tmp_path: Path
) -> None:
    one, more = records(tmp_path, "one.csv", RECORDS), records(tmp_path, "more.csv", MORE)
    warehouse = connect(server.url)
    ingest(warehouse, [Path(one)])
    with warehouse.change() as change:
        change.execute(broker.sql(FLIGHTS))
    ingest(warehouse, [Path(more)], "append")
    with own_platform() as own:
        platform = Platform(own.env | server.env)
        with killed(platform, session, FLIGHTS, "broker", after=1):
            assert rows(server, FLIGHTS) == 2
        platform.manage("broker", seconds=SECONDS)
    assert (rows(server, FLIGHTS), rows(server, "delays_by_day")) == (3, 3)


def test_a_lock_that_a_killed_process_left_is_dropped(
    server: SparkServer, session: Session
) -> None:
    warehouse = connect(server.url)
    locked_at = datetime.now(UTC) - 2 * versions.LOCKED
    session.execute(
        f"CREATE VIEW {versions.LOCK}t COMMENT '{locked_at:{versions.TIME}}' AS SELECT 1 AS n"
    )
    with warehouse.change() as change:
        change.append("t", ROW.schema, ROW.to_batches(), "1")
    assert rows(server, "t") == 1
    assert versions.LOCK not in str(session.run("SHOW TABLES")["tableName"].to_pylist())
