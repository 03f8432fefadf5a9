"""Transfers while PostgreSQL stops or its disk is full."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fault_probes import (
    ANSWER_ROWS,
    HASH,
    NO_INDEXES,
    ROWS,
    TABLE,
    clean,
    current,
    last,
    let_indexes_wait,
    open_transaction,
    queue_transfer,
    read,
    waiting,
    worker,
)
from tests.own_postgresql import Server, own_postgresql, platform_of
from tests.platform import Platform, until
from tests.small_disk import mounted
from tests.warehouse.running import WarehouseServer, running

DISK = 24 << 20  # bytes
CROWD = 20_000  # rows, which take 40 % of the disk


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_postgresql() as server:
        yield server


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseServer]:
    with running(tmp_path_factory.mktemp("warehouse"), "--inline") as server:
        server.set(answer_rows=ANSWER_ROWS)
        yield server


@pytest.fixture
def platform(server: Server) -> Iterator[Platform]:
    with platform_of(server) as own:
        yield own


@pytest.fixture(scope="module")
def disk(server: Server) -> Iterator[Path]:
    """A file system of `DISK` bytes, the server's tablespace `small`."""
    owner = server.data.stat().st_uid
    options = ("mode=700", f"uid={owner}", f"gid={owner}")
    with mounted(server.folder / "disk", DISK, *options) as folder:
        server.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        yield folder
        server.execute("DROP TABLESPACE small")


@pytest.fixture(scope="module")
def crowded(server: Server, disk: Path) -> Iterator[Platform]:
    """A published table on a small disk, where new versions are placed too."""
    with platform_of(server, "default_tablespace = small") as own:
        own.ingest(flights(CROWD, "Airline"))
        own.manage("transfer", TABLE)
        let_indexes_wait(own)
        yield own


def flights(rows: int, name: str) -> str:
    return "\n".join(f"2013-01-{1 + n % 28:02},{name} {n},A,B,{n % 60},5" for n in range(rows))


@pytest.mark.deep  # every day: connections that are lost, and a worker that waits for PostgreSQL
@pytest.mark.parametrize("phase", ["copying", "verifying"])
def test_a_postgresql_that_stops_in_the_middle_costs_a_transfer_one_attempt(
    server: Server, platform: Platform, warehouse: WarehouseServer, phase: str
) -> None:
    file = platform.csv(flights(ROWS, "Airline"))
    own = Platform({**platform.env, **warehouse.schema(phase).env, "TRANSFER_LOST_AFTER": "60"})
    own.manage("ingest", str(file))
    own.manage("broker")
    own.manage("transfer", TABLE)
    slow_at = {"copying": ("FetchResults", ""), "verifying": ("ExecuteStatement", HASH)}
    at, sql = slow_at[phase]
    with own.site(processes=1) as site, worker(own), read(site, away=True) as seen:
        warehouse.fault(at, "slow", sql=sql, seconds=3)
        queue_transfer(own)
        until(lambda: last(own)["phase"] == phase)
        with server.stopped():
            time.sleep(2)
        until(lambda: last(own)["status"] == "succeeded", seconds=60)
        until(lambda: current(site) == 2)
        until(lambda: seen[-1] == f"{TABLE}/2")
    assert (last(own)["attempt"], last(own)["error"]) == (2, "")
    assert set(seen) == {f"{TABLE}/1", f"{TABLE}/2"}
    clean(own)


def test_a_transfer_waits_until_its_worker_reaches_postgresql(
    server: Server, platform: Platform, tmp_path: Path
) -> None:
    own = Platform(platform.env, log=tmp_path / "log")
    own.ingest(flights(10, "Airline"))
    queue_transfer(own)
    with ExitStack() as running_worker:
        with server.stopped():
            running_worker.enter_context(worker(own))
            until(lambda: "Retry in" in own.log.read_text(), seconds=60)
        until(lambda: last(own)["status"] == "succeeded", seconds=60)
    assert last(own)["attempt"] == 1
    clean(own)


@pytest.mark.deep  # the everyday tests stop before the disk is full
def test_a_disk_that_others_fill_fails_a_transfer_for_good_and_leaves_the_old_version(
    crowded: Platform, disk: Path
) -> None:
    with crowded.site(processes=1) as site, read(site, CROWD) as seen, worker(crowded):
        with open_transaction(crowded, NO_INDEXES):
            queue_transfer(crowded)
            until(lambda: waiting(crowded), seconds=60)
            fill(disk, leave=0)
        until(lambda: last(crowded)["status"] == "failed", seconds=60)
        until(lambda: len(seen) > 2)
    failed = last(crowded)
    assert failed["attempt"] == 1
    assert re.match("PostgreSQL's disk is full: could not (extend|write)", failed["error"])
    assert "default_tablespace" in failed["advice"]
    assert set(seen) == {f"{TABLE}/1"}
    (disk / "filling").unlink()
    clean(crowded)


def test_a_transfer_stops_before_the_disk_is_full(crowded: Platform) -> None:
    crowded.ingest(flights(CROWD, "Airline" * 80))  # as many rows, which need more
    stopped = crowded.attempt("transfer", TABLE)
    assert f"{TABLE}: its indexes, and PostgreSQL's log, need" in stopped.stderr
    clean(crowded)


def test_a_transfer_is_refused_where_another_version_has_no_room(
    crowded: Platform, disk: Path
) -> None:
    fill(disk, leave=4 << 20)
    refused = crowded.attempt("transfer", TABLE, "--force")
    assert f"{TABLE}: another version needs" in refused.stderr
    assert "bytes free. Nothing was published. Free space" in refused.stderr
    (disk / "filling").unlink()
    clean(crowded)


def fill(disk: Path, leave: int) -> None:
    (disk / "filling").write_bytes(bytes(shutil.disk_usage(disk).free - leave))
