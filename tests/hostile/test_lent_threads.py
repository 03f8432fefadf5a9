"""A request that waits lends its place: usual queries are answered meanwhile, by one thread."""

import itertools
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from airsense.edge.pool import Pool
from flights import lending
from flights.query.shared_slots import MEDIUM_QUERIES
from tests import query_slots, raw_http, slow_clients
from tests.platform import Platform, Site, until
from tests.tokens import authorization
from transfers.models import Transfer

TABLE = "delays_by_day"
MEDIUM = "/api/flight_delay_data/?or=Airline_Name__icontains:qq,Origin_City__icontains:qq&limit="
UNREAD = "/api/ask?q=Regarding%20punctuality,%20rank%20carriers%20departing%20Newark."
LIGHT = "/api/busiest_airports_by_delays/?limit=1&Avg_Departure_Delay__lte=99."
numbers = itertools.count()


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """The address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(scope="module")
def narrow(demo: Platform, silent: str) -> Iterator[Site]:
    """One web process with one thread, whose language model and sign-in provider hang."""
    env = {"ASK_MODEL_URL": silent, "ASK_MODEL_NAME": "silent", "OIDC_ISSUER": silent}
    oidc = {"OIDC_CLIENT_ID": "airsense", "OIDC_CLIENT_SECRET": "of the client"}
    with Platform({**demo.env, **env, **oidc}).site(1, "--threads=1") as site:
        yield site


@contextmanager
def unanswered(site: Site, count: int, path: str, *headers: str) -> Iterator[None]:
    """Some clients that send the same request and have no response when the block ends."""
    with slow_clients.waiting(site, count, raw_http.head("GET", path, *headers)) as clients:
        time.sleep(0.2)
        yield
        assert not select.select(clients, [], [], 0)[0]


def assert_answered(site: Site) -> None:
    """A query that is not in the cache is answered."""
    response = site.get(f"{LIGHT}{next(numbers)}")
    assert (response.status, response.headers["x-airsense-cache"]) == (200, "miss")


def test_queries_that_wait_for_a_slot_delay_no_others(narrow: Site) -> None:
    with query_slots.all_taken(MEDIUM_QUERIES), unanswered(narrow, 1, f"{MEDIUM}1"):
        assert_answered(narrow)


def test_requests_that_share_a_query_delay_no_others(narrow: Site) -> None:
    with query_slots.all_taken(MEDIUM_QUERIES), unanswered(narrow, 4, f"{MEDIUM}2"):
        assert_answered(narrow)


def test_clients_that_do_not_read_their_file_delay_no_others(narrow: Site) -> None:
    request = raw_http.head("GET", "/api/flight_delay_data/?format=csv")
    with slow_clients.waiting(narrow, 3, request):
        until(lambda: query_slots.taken() > 0)
        assert_answered(narrow)


def test_clients_that_wait_for_a_transfer_delay_no_others(narrow: Site) -> None:
    transfer = Transfer.objects.create(table=TABLE, asked_by="test")
    key = authorization(User.objects.get(username="admin"))
    path = f"/api/transfers/{transfer.pk}/?wait=30"
    with unanswered(narrow, settings.WAITING_AT_ONCE, path, f"Authorization: {key}"):
        assert_answered(narrow)
    transfer.delete()


def test_a_language_model_that_hangs_delays_no_others(narrow: Site) -> None:
    with unanswered(narrow, 1, UNREAD):
        assert_answered(narrow)


def test_a_sign_in_provider_that_hangs_delays_no_others(narrow: Site) -> None:
    with unanswered(narrow, 2, "/admin/oidc/"):
        assert_answered(narrow)


def working(pool: Pool) -> int:
    """How many jobs of a pool run at the same time."""
    started, end = threading.Semaphore(0), threading.Event()

    def job() -> None:
        started.release()
        end.wait(10)

    for _ in range(10):
        pool.put(job)
    running = 0
    while started.acquire(timeout=0.2):
        running += 1
    end.set()
    for _ in range(10 - running):
        started.acquire()
    return running


def threads() -> int:
    """The threads of all pools of this process."""
    return sum(thread.name == "answers" for thread in threading.enumerate())


def test_additional_threads_are_limited_used_again_and_end() -> None:
    pool = Pool(2, 3, idle=1.0)
    waits, entered = threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        with lending.lent(), lending.lent():
            entered.release()
            waits.wait(10)

    for _ in range(2):
        for _ in range(3):
            pool.put(wait)
            entered.acquire()
        assert working(pool) == 2  # in the places that three waiting threads have lent
        assert threads() == 5
        waits.set()
        until(lambda: pool.spare == 3)
        waits.clear()
        assert working(pool) == 2
    until(lambda: threads() == 2)
