"""nginx in front of the gateway caches responses for a second, and only public ones."""

import time
from collections.abc import Iterator

import pytest

from tests.nginx import in_front_of
from tests.platform import Platform, Response, Site, until

QUERY = "/api/dynamic_query?table_name=busiest_airports_by_delays&limit=3"


@pytest.fixture(scope="module")
def front(site: Site) -> Iterator[Site]:
    with in_front_of(site) as front:
        yield front


def status(response: Response) -> str:
    return response.headers["x-cache-status"]


def test_the_second_response_is_cached_and_has_the_same_bytes(site: Site, front: Site) -> None:
    first, second = front.get(f"{QUERY}&offset=1"), front.get(f"{QUERY}&offset=1")
    assert (status(first), status(second)) == ("MISS", "HIT")
    assert first.body == second.body == site.get(f"{QUERY}&offset=1").body
    assert second.headers["cache-control"] == "public, no-cache"
    assert second.headers["x-airsense-version"].startswith("busiest_airports_by_delays/")


def test_nginx_requests_it_again_after_a_second(front: Site) -> None:
    front.get(f"{QUERY}&offset=2")
    time.sleep(2.1)  # nginx counts in whole seconds
    assert status(front.get(f"{QUERY}&offset=2")) == "REVALIDATED"
    # At once, unless the machine stalls for more than a second between the two requests.
    until(lambda: status(front.get(f"{QUERY}&offset=2")) == "HIT", seconds=5)


def test_nginx_answers_304_to_clients_that_have_the_response(front: Site) -> None:
    etag = front.get(QUERY).headers["etag"]
    response = front.get(QUERY, If_None_Match=etag)
    assert (response.status, response.body) == (304, b"")


def test_each_representation_is_cached_separately(front: Site) -> None:
    path = QUERY.replace("limit=3", "limit=100")
    plain, packed = front.get(path), front.get(path, Accept_Encoding="gzip")
    assert status(packed) == "MISS"
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(plain.body)
    assert status(front.get(path)) == status(front.get(path, Accept_Encoding="gzip")) == "HIT"


@pytest.mark.parametrize(
    "headers", [{"Cookie": "sessionid=somebody"}, {"Authorization": "Token of-somebody"}]
)
def test_personal_requests_are_never_cached(front: Site, headers: dict[str, str]) -> None:
    front.get(f"{QUERY}&offset=3")
    for _ in range(2):
        response = front.get(f"{QUERY}&offset=3", **headers)
        assert status(response) == "BYPASS"
        assert response.headers["x-airsense-cache"] == "bypass"


def test_a_cached_response_is_not_for_clients_with_an_unknown_key(front: Site) -> None:
    for _ in range(2):
        assert front.get(f"{QUERY}&offset=5").status == 200
    response = front.get(f"{QUERY}&offset=5", X_API_Key="nonsense")
    assert (response.status, status(response)) == (401, "BYPASS")


@pytest.mark.parametrize(
    "path", [f"{QUERY}&format=csv", f"{QUERY}&wrong=1", "/api/transfers/", "/api/nothing"]
)
def test_files_and_errors_are_not_cached(front: Site, site: Site, path: str) -> None:
    front.get(path)
    again = front.get(path)
    assert status(again) != "HIT"
    assert again.status == site.get(path).status


def test_responses_for_other_hosts_are_not_cached(front: Site) -> None:
    front.get(f"{QUERY}&offset=4")
    assert front.get(f"{QUERY}&offset=4", Host="evil.example").status == 400


def test_headers_for_the_first_client_are_not_sent_to_others(front: Site) -> None:
    ids = [front.get(QUERY).headers["x-request-id"] for _ in range(2)]
    assert ids[0] != ids[1]
    assert "ratelimit" not in front.get(QUERY).headers  # of the first client
    assert front.get(QUERY, X_Request_ID="my-own").headers["x-request-id"] == "my-own"
    assert front.get(QUERY, X_Request_ID="no good").headers["x-request-id"] != "no good"


def test_pages_and_static_files_come_through(front: Site) -> None:
    for path in ("/", "/explorer", "/healthz", "/static/airsense.css", "/admin/login/"):
        assert front.get(path).status == 200, path


def test_a_new_version_is_seen_within_two_seconds(fresh: Platform) -> None:
    query = "/api/flight_delay_data/?limit=1"
    fresh.ingest("2024-01-01,Old,A,B,1,1")
    fresh.manage("transfer", "flight_delay_data")
    with fresh.site() as site, in_front_of(site) as front:
        assert b"Old" in front.get(query).body
        fresh.ingest("2024-01-01,New,A,B,1,1")
        fresh.manage("transfer", "flight_delay_data")
        published = time.monotonic()
        until(lambda: b"New" in front.get(query).body)
        assert time.monotonic() - published < 2.5  # includes the time of the request
