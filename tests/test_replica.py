"""Public queries that a streaming replica answers: it may lag, conflict, or disappear."""

import itertools
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import quote

import orjson
import pytest

from tests import expected_tables, standby
from tests.own_postgresql import Server, own_postgresql, platform_of
from tests.platform import Platform, Response, Site, until
from tests.proxy import proxy
from tests.standby import Standby

FEW, MANY = 1_000, 25_000  # records; a query that reads many of them takes a while
DAYS = "/api/dynamic_query?table_name=delays_by_day"
UNCACHED = {"Authorization": "Token none"}  # bypasses the response cache
SURFACES = (
    DAYS,
    "/api/delays_by_day/?count=exact",
    "/api/delays_by_day/?format=csv",
    "/api/delays_by_day/?group_by=Day_of_Week",
    "/api/search?q=Monday&table=delays_by_day",
    f"/api/graphql?query={quote('{delays_by_day{rows{Day_of_Week Total_Flights}}}')}",
)


@pytest.fixture(scope="module")
def primary() -> Iterator[Server]:
    with own_postgresql() as server:
        settings = {"wal_level": "replica", "max_wal_senders": "10"}
        server.execute(*(f"ALTER SYSTEM SET {name} = {value}" for name, value in settings.items()))
        with server.stopped():
            pass  # so that it starts with the settings
        yield server


@pytest.fixture(scope="module")
def writer(primary: Server) -> Iterator[Platform]:
    """The platform that publishes; the web servers of other platforms read its replicas."""
    with platform_of(primary) as own:
        own.env["VERSIONS_KEPT"] = "1"
        publish(own)
        own.manage("transfer", "--all")
        yield own


@pytest.fixture(scope="module")
def replica(primary: Server, writer: Platform) -> Iterator[Standby]:
    """A replica that at once cancels queries which conflict with a change."""
    at_once = {"max_standby_streaming_delay": "0", "hot_standby_feedback": "on"}
    with standby.standby(primary, "replica", **at_once) as own:
        yield own


def publish(writer: Platform, records: int = FEW) -> int:
    """Publish the next version, which drops the previous one; return its number."""
    number = len(days) + 1
    rows = expected_tables.records(number, records)
    writer.ingest(expected_tables.as_csv(rows).rstrip())
    writer.manage("transfer", "delays_by_day", "flight_delay_data")
    days[number] = orjson.dumps(expected_tables.delays_by_day(rows))
    return number


# The rows of delays_by_day of each version, as plain Python computes them.
days: dict[int, bytes] = {}


def reading(writer: Platform, *ports: int) -> Platform:
    """The platform, with web servers that read from these ports of this machine."""
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return Platform({**writer.env, "READER_URL": f"postgresql://own_reader:x@{hosts}/own"})


def direct(writer: Platform, replica: Standby) -> Platform:
    """The platform, with web servers that read from a replica through its socket."""
    env = {"READER_URL": replica.url("own_reader"), "STATUS_TIMEOUT_MS": "20000"}
    return Platform({**writer.env, **env})


@contextmanager
def site_of(writer: Platform, *connects: Callable[[], socket.socket]) -> Iterator[Site]:
    """A web server whose reader connects to the first server that answers."""
    with (
        proxy(connects[0]) as first,
        proxy(connects[-1]) as last,
        reading(writer, *{first.port: 0, last.port: 0}).site(processes=1) as site,
    ):
        yield site


def version(response: Response) -> int:
    assert response.status == 200, response.body
    return int(response.headers["x-airsense-version"].rpartition("/")[2])


def test_a_lagging_replica_answers_with_its_own_version_on_every_surface(
    writer: Platform, replica: Standby
) -> None:
    own = direct(writer, replica)
    with own.site(processes=1) as site:
        before = {path: site.get(path) for path in SURFACES}
        replica.pause()
        old, new = version(before[DAYS]), publish(writer)
        assert new == old + 1
        for path, headers in itertools.product(SURFACES, ({}, UNCACHED)):
            response = site.get(path, **headers)
            assert version(response) == old, path
            assert response.body == before[path].body, path
        assert site.get("/readyz").json()["replica_lag_seconds"] >= 0
        assert "a replica, 0 bytes" not in (status := own.manage("status", "reader"))
        assert "a replica, " in status
        replica.resume()
        until(lambda: version(site.get(DAYS)) == new)
        assert site.get(DAYS).body == days[new]


@pytest.mark.deep  # the everyday test has one replica, which lags
def test_each_response_of_replicas_in_different_states_is_of_the_version_it_names(
    primary: Server, writer: Platform, replica: Standby
) -> None:
    """One address connects to both replicas in turn, so a process has connections to both."""
    with standby.standby(primary, "second") as second:
        connects = itertools.cycle([replica.connect, second.connect])
        with site_of(writer, lambda: next(connects)()) as site:
            for lagging in (replica, second):
                lagging.pause()
                new = publish(writer)
                assert read_everywhere(site) == {new - 1, new}
                page = cursor_of(site, new)
                statuses = {site.get(page, **UNCACHED).status for _ in range(12)}
                assert statuses <= {200, 503}, "a version that has not arrived yet is not 410"
                lagging.resume()
                until(lambda new=new: read_everywhere(site) == {new})


def cursor_of(site: Site, number: int) -> str:
    """A path of the second page of a version."""
    responses = (site.get("/api/delays_by_day/?cursor=&limit=2", **UNCACHED) for _ in range(50))
    return str(next(a.json()["next"] for a in responses if version(a) == number))


def read_everywhere(site: Site) -> set[int]:
    """Read with all threads, by each path through the gateway; returns the versions."""
    fresh = itertools.count(next(_limits) * 1_000)
    ways = [
        lambda: site.get(DAYS),  # may be cached
        lambda: site.get(f"{DAYS}&limit={next(fresh) + 10}"),  # is not: a new query
        lambda: site.get(DAYS, **UNCACHED),
    ]
    with ThreadPoolExecutor(6) as pool:
        responses = list(pool.map(lambda number: ways[number % 3](), range(90)))
    for response in responses:
        assert response.body == days[version(response)], response.headers
    return {version(response) for response in responses}


_limits = itertools.count()


@pytest.mark.deep
def test_queries_that_a_replica_cancels_to_drop_a_version_are_repeated(
    writer: Platform, replica: Standby
) -> None:
    """The primary drops each version as soon as the next one is published."""
    parts = "Origin_City__icontains=of+the+long&Destination_City__icontains=of+the+long"
    slow = f"/api/flight_delay_data/?limit=1&order_by=Arrival_Delay_Minutes&{parts}"
    own = direct(writer, replica)
    publish(writer, MANY)
    with own.site(processes=1) as site, ThreadPoolExecutor(4) as pool:
        ends, offsets = list[bool](), itertools.count()
        statuses = dict[int, bytes]()

        def read(_: int) -> None:
            while not ends:
                response = site.get(f"{slow}&offset={next(offsets)}")
                statuses[response.status] = response.body

        replica.pause()
        publish(writer, MANY)
        before, reads = conflicts(replica), pool.map(read, range(4))
        until(lambda: next(offsets) > 20)
        replica.resume()
        try:
            until(lambda: conflicts(replica) > before)
        finally:
            ends.append(True)
        list(reads)
    assert statuses.keys() == {200}, statuses.get(503)


def conflicts(replica: Standby) -> int:
    """How many queries the replica cancelled to replay a DROP."""
    statement = "SELECT confl_lock FROM pg_stat_database_conflicts WHERE datname = 'own'"
    return int(replica.execute(statement))


@pytest.mark.deep
def test_public_queries_go_to_the_primary_while_the_replica_hangs_or_is_gone(
    primary: Server, writer: Platform
) -> None:
    """READER_URL names both servers."""
    sockets = standby.socket_folder(primary)
    with (
        standby.standby(primary, "third") as third,
        site_of(writer, third.connect, lambda: standby.connect(sockets)) as site,
        ThreadPoolExecutor(6) as pool,
    ):
        limits = itertools.count(10)

        def read(_: int) -> int:
            return site.get(f"{DAYS}&limit={next(limits)}").status

        assert set(pool.map(read, range(12))) == {200}
        backends = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'own_reader'"
        assert third.execute(backends) > 0
        with third.hanging():
            assert set(pool.map(read, range(6))) <= {200, 503}
            until(lambda: set(pool.map(read, range(6))) == {200}, seconds=60)
        third.kill()
        assert set(pool.map(read, range(12))) == {200}
