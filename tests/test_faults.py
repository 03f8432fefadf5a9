"""Transfers whose processes and servers are killed. docs/faults.md has the table of outcomes."""

import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.fault_probes import (
    ANSWER_ROWS,
    HASH,
    NO_INDEXES,
    ROWS,
    START,
    TABLE,
    clean,
    current,
    database,
    last,
    let_indexes_wait,
    open_transaction,
    queue_transfer,
    read,
    waiting,
    worker,
)
from tests.platform import Platform, Site, until
from tests.platforms import own_platform, own_valkey
from tests.proxy import Proxy, proxy
from tests.warehouse.running import WarehouseServer, running
from transfers.warehouses import retrying

FLIGHTS = "\n".join(f"2013-01-{1 + n % 28:02},Airline {n},A,B,{n % 60},5" for n in range(ROWS))


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseServer]:
    with running(tmp_path_factory.mktemp("warehouse"), "--inline") as server:
        server.set(answer_rows=ANSWER_ROWS)
        yield server


@pytest.fixture(scope="module")
def platform(warehouse: WarehouseServer) -> Iterator[Platform]:
    """A published table, whose transfers fail after two seconds without a heartbeat."""
    with own_platform() as own:
        file = own.csv(FLIGHTS)
        own = Platform({**own.env, "TRANSFER_LOST_AFTER": "2", **warehouse.env})
        own.manage("ingest", str(file))
        own.manage("broker")
        own.manage("transfer", TABLE)
        let_indexes_wait(own)
        yield own


@pytest.fixture(scope="module")
def site(platform: Platform) -> Iterator[Site]:
    with platform.site(processes=1) as site:
        yield site


def slow(warehouse: WarehouseServer, at: str, sql: str = "") -> None:
    warehouse.fault(at, "slow", sql=sql, seconds=60)


# How to pause a transfer in each phase, by the name of the phase in its row.
HOLDS: dict[str, Callable[[Platform, WarehouseServer], Any]] = {
    "reading": lambda p, w: slow(w, "ExecuteStatement", "DESCRIBE HISTORY"),
    "copying": lambda p, w: slow(w, "FetchResults"),
    "indexing": lambda p, w: open_transaction(p, NO_INDEXES),
    "verifying": lambda p, w: slow(w, "ExecuteStatement", HASH),
    "waiting to be published": lambda p, w: open_transaction(
        p, "SELECT FROM flights_publishedtable FOR UPDATE"
    ),
}


@contextmanager
def transferring(platform: Platform, warehouse: WarehouseServer, phase: str) -> Iterator[Any]:
    """Run a transfer in a separate process, paused at a phase."""
    with ExitStack() as stack:
        hold = HOLDS[phase](platform, warehouse)
        if hold:
            stack.enter_context(hold)
        process = stack.enter_context(platform.running("transfer", TABLE, "--force"))
        until(lambda: last(platform)["phase"] == phase or process.poll() is not None)
        assert process.poll() is None, last(platform)
        yield process
    warehouse.clear_faults()


@pytest.mark.parametrize(
    "phase", [p if p == "copying" else pytest.param(p, marks=pytest.mark.deep) for p in HOLDS]
)
def test_a_killed_transfer_leaves_the_old_version_and_is_marked(
    platform: Platform, warehouse: WarehouseServer, site: Site, phase: str
) -> None:
    before = current(site)
    with read(site) as seen:
        with transferring(platform, warehouse, phase) as process:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed = last(platform)["id"]
            # The pause of the transfer lasts, so PostgreSQL itself must notice the killed process.
            until(lambda: not waiting(platform), seconds=10)
        until(lambda: len(seen) > 2)
        assert set(seen) == {f"{TABLE}/{before}"}
        time.sleep(2)  # TRANSFER_LOST_AFTER
        done = platform.manage("transfer", TABLE, "--force")
        until(lambda: current(site) == before + 1)
    assert f"{TABLE}/{before + 1}: {ROWS:,} rows" in done
    assert set(seen) <= {f"{TABLE}/{before}", f"{TABLE}/{before + 1}"}
    with database(platform) as connection:
        ended = connection.execute(
            "SELECT status, phase, error, advice FROM transfers_transfer WHERE id = %s", [killed]
        ).fetchone()
    assert ended == (
        *("failed", phase),
        "Its worker stopped unexpectedly. The published version is untouched.",
        "Start it again.",
    )
    clean(platform)


@pytest.mark.deep
@pytest.mark.parametrize("kill", range(12))
def test_a_worker_killed_at_any_moment_leaves_the_old_version_or_the_new_one(
    platform: Platform, site: Site, kill: int
) -> None:
    before, moment = current(site), random.uniform(0, 3)  # noqa: S311  # a transfer takes about 2 s
    with read(site) as seen:
        with worker(platform) as process:
            queue_transfer(platform)
            until(lambda: last(platform)["status"] != "queued")
            time.sleep(moment)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        time.sleep(2)  # TRANSFER_LOST_AFTER
        platform.python("from transfers import services; services.reap()")
        clean(platform)
        ended = last(platform)
        now = before + (ended["status"] == "succeeded")
        until(lambda: current(site) == now)
    error = "" if now > before else "Its worker stopped unexpectedly."
    assert ended["error"].startswith(error), f"killed after {moment:.2f} s"
    assert set(seen) <= {f"{TABLE}/{before}", f"{TABLE}/{now}"}


def test_a_transfer_is_cancelled_though_the_warehouse_does_not_answer(
    platform: Platform, warehouse: WarehouseServer, site: Site
) -> None:
    before = current(site)
    with transferring(platform, warehouse, "reading") as process:  # which pauses it for a minute
        assert "cancelled transfer" in platform.manage("cancel", TABLE)
        until(lambda: process.poll() is not None, seconds=10)
    assert (last(platform)["status"], current(site)) == ("cancelled", before)
    clean(platform)


def test_a_transfer_killed_after_it_was_published_has_succeeded(
    platform: Platform, site: Site
) -> None:
    before = current(site)
    with platform.running("transfer", TABLE, "--force") as process:
        with database(platform) as connection:
            while current_of(connection) == before:
                pass
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert last(platform)["status"] == "succeeded"
    until(lambda: current(site) == before + 1)
    clean(platform)


def current_of(connection: "psycopg.Connection[Any]") -> int:
    (number,) = connection.execute(
        "SELECT number FROM flights_publishedtable p JOIN flights_tableversion v"
        ' ON v.id = current_id WHERE p."table" = %s',
        [TABLE],
    ).fetchone() or (0,)
    return int(number)


@pytest.mark.parametrize("phase", ["copying", pytest.param("verifying", marks=pytest.mark.deep)])
def test_a_transfer_is_retried_after_lost_connections_to_postgresql(
    platform: Platform, warehouse: WarehouseServer, site: Site, phase: str
) -> None:
    before = current(site)
    slow_for = {"copying": ("FetchResults", ""), "verifying": ("ExecuteStatement", HASH)}
    at, sql = slow_for[phase]
    warehouse.fault(at, "slow", sql=sql, seconds=3)
    with worker(platform):
        queue_transfer(platform)
        until(lambda: last(platform)["phase"] == phase)
        with database(platform) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        until(lambda: last(platform)["status"] == "succeeded", seconds=60)
    done = last(platform)
    assert (done["attempt"], done["error"]) == (2, "")
    until(lambda: current(site) == before + 1)
    clean(platform)


# tests.test_databricks_behaviour has reads that are cut in the middle.
@pytest.mark.deep
# The warehouse sends the same rows again; copied rows are lost with the connection.
@pytest.mark.parametrize(
    ("server", "attempts"),
    [("warehouse", 1), ("PostgreSQL", 2)],
)
def test_a_network_that_is_cut_in_the_middle_costs_a_transfer_an_attempt_at_most(
    platform: Platform, warehouse: WarehouseServer, site: Site, server: str, attempts: int
) -> None:
    before = current(site)
    with proxy(CONNECTS[server](platform, warehouse)) as network:
        own = through(network, platform, warehouse, server)
        warehouse.fault("FetchResults", "slow", seconds=3)
        with worker(own), read(site):
            queue_transfer(platform)
            until(lambda: last(platform)["phase"] == "copying")
            assert network.cut(seconds=2)
            until(lambda: last(platform)["status"] in ("succeeded", "failed"), seconds=60)
    done = last(platform)
    assert (done["status"], done["error"], done["attempt"]) == ("succeeded", "", attempts)
    until(lambda: current(site) == before + 1)
    clean(platform)


def to_warehouse(_: Platform, warehouse: WarehouseServer) -> Callable[[], socket.socket]:
    return lambda: socket.create_connection(("127.0.0.1", urlsplit(warehouse.url).port or 0))


def to_postgresql(platform: Platform, _: WarehouseServer) -> Callable[[], socket.socket]:
    def connect() -> socket.socket:
        (folder,) = parse_qs(urlsplit(platform.env["DATABASE_URL"]).query)["host"]
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{folder}/.s.PGSQL.5432")
        return server

    return connect


CONNECTS = {"warehouse": to_warehouse, "PostgreSQL": to_postgresql}


def through(
    network: Proxy, platform: Platform, warehouse: WarehouseServer, server: str
) -> Platform:
    """The platform, which reaches a server only through this proxy."""
    here, address = f"127.0.0.1:{network.port}", urlsplit(warehouse.url).netloc
    database = urlsplit(platform.env["DATABASE_URL"])
    env = {
        "warehouse": {"WAREHOUSE_URL": platform.env["WAREHOUSE_URL"].replace(address, here)},
        "PostgreSQL": {"DATABASE_URL": f"postgresql://{database.username}@{here}{database.path}"},
    }
    return Platform({**platform.env, **env[server]})


@pytest.mark.deep  # tests.test_transfers has faults of rows
def test_lost_warehouse_rows_are_refused_and_temporary_errors_are_retried(
    platform: Platform, warehouse: WarehouseServer, site: Site
) -> None:
    before = current(site)
    for fault in ("short-read", "repeated-read"):
        warehouse.fault("results", fault, sql="ORDER BY")
        failed = platform.attempt("transfer", TABLE, "--force")
        assert "the copy differs from its source" in failed.stderr
    assert current(site) == before
    with worker(platform):
        warehouse.fault("FetchResults", "cut")  # in the middle of the copy, which goes on
        queue_transfer(platform)
        until(lambda: last(platform)["status"] == "succeeded", seconds=60)
        assert last(platform)["attempt"] == 1
        warehouse.fault("ExecuteStatement", "cut", sql="ORDER BY", times=retrying.ATTEMPTS)
        queue_transfer(platform)
        until(lambda: last(platform)["attempt"] == 2, seconds=60)
        until(lambda: last(platform)["status"] == "succeeded", seconds=60)
    until(lambda: current(site) == before + 2)
    clean(platform)


def test_a_queue_that_is_killed_loses_no_transfer(
    platform: Platform, warehouse: WarehouseServer, site: Site, tmp_path: Path
) -> None:
    before = current(site)
    own = Platform(
        platform.env | {"REDIS_URL": f"redis+socket://{tmp_path}/valkey.sock?virtual_host=0"}
    )
    with own_valkey(tmp_path) as server, worker(own):
        warehouse.fault("ExecuteStatement", "slow", sql=HASH, seconds=3)
        queue_transfer(own)
        until(lambda: last(own)["phase"] == "verifying")
        server.kill()
        server.wait()
        until(lambda: last(own)["status"] == "succeeded", seconds=60)
        until(lambda: current(site) == before + 1)
        refused = own.attempt("shell", "--no-imports", "--command", START)
        assert "The queue of tasks does not answer." in refused.stderr
        assert last(own)["status"] == "failed"
        with own_valkey(tmp_path):
            queue_transfer(own)
            until(lambda: last(own)["status"] == "succeeded", seconds=60)
    until(lambda: current(site) == before + 2)
    clean(platform)
