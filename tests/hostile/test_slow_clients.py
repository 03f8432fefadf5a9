"""Clients that send slowly, read slowly or do nothing do not delay others."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests import raw_http, slow_clients
from tests.nginx import in_front_of
from tests.platform import Platform, Site, until

QUERY = "/api/dynamic_query?table_name=busiest_airports_by_delays&limit=3"
SHORT = {"BODY_TIMEOUT": "2", "HEADERS_TIMEOUT": "2", "ANSWER_TIMEOUT": "2"}
AT_ONCE = 5.0  # seconds; benchmarks measure it, and a busy machine is slow


@pytest.fixture(scope="module")
def quick(demo: Platform) -> Iterator[Site]:
    """A server with a timeout of two seconds for slow clients."""
    with Platform({**demo.env, **SHORT}).site() as site:
        until(lambda: site.get(QUERY).headers["x-airsense-cache"] == "hit")
        yield site


def assert_responsive(site: Site) -> None:
    """Health, metrics, a cached response and a response of Django."""
    for path in ("/healthz", "/metrics", QUERY, f"{QUERY}&offset=1", "/admin/login/"):
        began = time.monotonic()
        assert site.get(path).status == 200
        assert time.monotonic() - began < AT_ONCE, path


def test_bodies_that_never_come_delay_nobody(site: Site) -> None:
    with slow_clients.waiting(site, 60, slow_clients.BODY):
        assert_responsive(site)


def test_a_body_that_does_not_come_is_refused_with_the_limit(quick: Site) -> None:
    with slow_clients.waiting(quick, 1, slow_clients.BODY) as (client,):
        response = raw_http.rest(client)
    assert raw_http.status(response) == 408
    assert b"It may take 2 s" in response
    assert b"4,096 bytes" in response


def test_a_client_that_sends_single_bytes_is_timed_out(quick: Site) -> None:
    with in_front_of(quick) as front:
        for door in (quick, front):
            with slow_clients.waiting(door, 1, slow_clients.BODY) as (client,):
                threading.Thread(target=slow_clients.drip, args=[client], daemon=True).start()
                assert raw_http.status(client.recv(1_000)) == 408


def test_chunks_that_come_slowly_are_refused_too(quick: Site) -> None:
    begin = raw_http.head("POST", "/api/advanced_search", "Transfer-Encoding: chunked")
    with slow_clients.waiting(quick, 1, begin + b"6\r\n{'quer\r\n") as (client,):
        assert raw_http.status(raw_http.rest(client)) == 408
    with slow_clients.waiting(quick, 1, begin + b"odd\r\n{'quer\r\n") as (client,):
        assert raw_http.status(raw_http.rest(client)) == 400


def test_refused_bodies_that_do_not_come_are_closed_after_a_slow_answer(quick: Site) -> None:
    """The answers wait for the check of the worker, which takes a second."""
    states = raw_http.head("GET", "/api/status")
    bodies = raw_http.head("POST", "/api/status", "Content-Length: 1000000")
    with (
        slow_clients.waiting(quick, 4, states),
        slow_clients.waiting(quick, 20, bodies) as clients,
    ):
        assert all(slow_clients.ended(client) for client in clients)


def test_headers_that_never_end_are_closed(quick: Site) -> None:
    with slow_clients.waiting(quick, 20, slow_clients.HEADERS) as clients:
        assert_responsive(quick)
        assert all(slow_clients.ended(client) for client in clients)


def test_idle_connections_are_closed(quick: Site) -> None:
    request = raw_http.head("GET", "/healthz")
    with (
        slow_clients.waiting(quick, 20, b"") as silent,
        slow_clients.waiting(quick, 20, request) as idle,
    ):
        assert_responsive(quick)
        assert all(slow_clients.ended(client) for client in (*silent, *idle))


def test_a_slow_body_through_nginx_delays_nobody(site: Site) -> None:
    with in_front_of(site) as front, slow_clients.waiting(front, 60, slow_clients.BODY) as clients:
        for client in clients:
            client.sendall(b"{")
        assert_responsive(front)
        assert_responsive(site)


def test_a_client_that_does_not_read_is_disconnected_and_delays_nobody(quick: Site) -> None:
    """Twice as many files as threads: each waits for its client outside of them."""
    request = raw_http.head("GET", "/api/flight_delay_data/?format=csv")
    with slow_clients.waiting(quick, 24, request) as clients:
        assert_responsive(quick)
        begun = [client for client in clients if client.recv(12) == b"HTTP/1.1 200"]
        assert begun
        time.sleep(float(SHORT["ANSWER_TIMEOUT"]) + 1)
        for client in begun:
            with pytest.raises(ConnectionResetError):
                raw_http.rest(client)


def test_django_does_not_run_for_a_client_that_disconnected(quick: Site) -> None:
    for _ in range(50):
        with closing(raw_http.connect(quick)) as client:
            client.sendall(raw_http.head("GET", f"{QUERY}&offset=2", "Authorization: Token x"))
    assert_responsive(quick)


@pytest.mark.deep
@pytest.mark.timeout(300)
def test_fifteen_hundred_slow_clients_of_all_kinds_delay_nobody_for_a_minute(site: Site) -> None:
    with ExitStack() as attack:
        for begin in slow_clients.KINDS:
            attack.enter_context(slow_clients.renewed(site, 500, begin))
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            assert_responsive(site)
