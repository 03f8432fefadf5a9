"""Long-polling requests occupy few threads, and other requests are answered at once."""

import select
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from flights.models import Export, Requester
from tests import raw_http
from tests.platform import Platform, Response, Site, until
from tests.slow_clients import waiting
from tests.tokens import authorization
from transfers.models import Transfer

CLIENTS = 30
WAIT = 4  # seconds
TABLE = "delays_by_day"


@pytest.fixture(scope="module")
def own(demo: Platform) -> Iterator[Site]:
    """One web process without a worker: transfers and exports never end."""
    with demo.site(processes=1) as site:
        yield site


@pytest.fixture
def transfer(demo: Platform) -> Iterator[Transfer]:
    transfer = Transfer.objects.create(table=TABLE, asked_by="test")
    yield transfer
    Transfer.objects.filter(table=TABLE, status=Transfer.Status.QUEUED).delete()


@pytest.fixture
def export(demo: Platform) -> Iterator[Export]:
    export = Export.objects.create(table=TABLE, number=1, format="csv", query="")
    Requester.objects.create(export=export, user="admin")
    yield export
    export.delete()


def key() -> str:
    return authorization(User.objects.get(username="admin"))


def timed(ask: Callable[[], Response]) -> tuple[float, Response]:
    began = time.monotonic()
    response = ask()
    return time.monotonic() - began, response


def assert_few_wait(site: Site, address: str) -> None:
    token = key()

    def ask(_: int) -> tuple[float, Response]:
        return timed(lambda: site.get(f"{address}?wait={WAIT}", Authorization=token))

    with ThreadPoolExecutor(CLIENTS) as pool:
        responses = list(pool.map(ask, range(CLIENTS)))
    waited = [seconds for seconds, _ in responses if seconds >= WAIT]
    assert 1 <= len(waited) <= settings.WAITING_AT_ONCE
    for _, response in responses:
        assert (response.status, response.json()["status"]) == (200, "queued")
        assert response.headers["x-airsense-wait-limit"] == "60 s, 2 at once"


def test_clients_that_wait_for_a_transfer_occupy_few_threads(own: Site, transfer: Transfer) -> None:
    assert_few_wait(own, f"/api/transfers/{transfer.pk}/")


def test_clients_that_wait_for_an_export_occupy_few_threads(own: Site, export: Export) -> None:
    assert_few_wait(own, f"/api/exports/{export.pk}")


def test_waiting_requests_share_the_slots_and_free_them_on_disconnect(
    own: Site, transfer: Transfer
) -> None:
    token, address = key(), f"/api/transfers/{transfer.pk}/"
    request = raw_http.head("GET", f"{address}?wait=60", f"Authorization: {token}")
    with waiting(own, 10, request) as clients:
        until(lambda: len(select.select(clients, [], [], 0)[0]) == 10 - settings.WAITING_AT_ONCE)
        seconds, response = timed(
            lambda: own.request(
                *("POST", f"/transfer_table?table_name={TABLE}", b""), Authorization=token
            )
        )
        assert seconds < 30
        assert response.status == 202
        assert response.json()["status"] == "queued"
        assert response.headers["x-airsense-wait-limit"] == "60 s, 2 at once"
    until(lambda: timed(lambda: own.get(f"{address}?wait=1", Authorization=token))[0] >= 1)
