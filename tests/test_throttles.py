"""Requests per minute and address: the limit is shared by processes; cached responses are free."""

import itertools
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flights.access import rate_limiter, throttles
from flights.access.rate_limiter import Caller, RateLimiter
from flights.exports.renderers import COST
from tests import addresses
from tests.platform import Platform, Response, Site
from tests.platforms import own_valkey

LIMIT = 30
DAYS = "/api/delays_by_day/"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def low(demo: Platform) -> Iterator[Site]:
    """Two web processes with a low limit, behind one proxy."""
    own = Platform({**demo.env, "THROTTLE_PER_MINUTE": str(LIMIT), "TRUSTED_PROXIES": "1"})
    with own.site() as site:
        yield site


@pytest.fixture
def address() -> str:
    return addresses.unused()


def miss(site: Site, address: str, path: str = DAYS, **headers: str) -> Response:
    """Send a query that is not cached."""
    sign = "&" if "?" in path else "?"
    query = f"{path}{sign}Total_Flights__not={next(_numbers)}"
    return site.get(query, X_Forwarded_For=address, **headers)


def remaining(response: Response) -> int:
    return int(response.headers["ratelimit"].split(";r=")[1].split(";")[0])


def test_two_processes_share_the_limit_of_an_address(low: Site, address: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda _: miss(low, address), range(LIMIT + 15)))
    assert Counter(response.status for response in responses) == {200: LIMIT, 429: 15}


def test_a_response_states_the_remaining_requests_and_a_refusal_when_to_retry(
    low: Site, address: str
) -> None:
    responses = [miss(low, address) for _ in range(LIMIT)]
    assert [remaining(response) for response in responses] == list(range(LIMIT - 1, -1, -1))
    assert responses[0].headers["ratelimit-policy"] == f'"address";q={LIMIT};w=60'
    refused = miss(low, address)
    assert refused.status == 429
    assert refused.headers["content-type"] == "application/problem+json"
    wait = int(refused.headers["retry-after"])
    assert 0 < wait <= 60
    assert refused.headers["ratelimit"] == f'"address";r=0;t={wait}'
    assert f"More than {LIMIT} requests a minute" in refused.json()["detail"]
    for page in ("/", "/explorer"):
        response = low.get(page, X_Forwarded_For=address, Accept="text/html")
        assert (response.status, f"More than {LIMIT}".encode() in response.body) == (429, True)
        assert "retry-after" in response.headers


def test_cached_responses_do_not_count_against_the_limit(low: Site, address: str) -> None:
    """Clients that have used up their limit get cached responses, too."""
    query = f"{DAYS}?limit=3"
    responses = [low.get(query, X_Forwarded_For="198.51.100.0") for _ in range(50)]
    etag = responses[0].headers["etag"]
    for _ in range(LIMIT + 1):
        last = miss(low, address)
    assert last.status == 429
    more = [low.get(query, X_Forwarded_For=address) for _ in range(50)]
    hit = next(r for r in more if r.headers["x-airsense-cache"] == "hit")
    assert hit.status == 200
    assert "ratelimit" not in hit.headers
    assert "ratelimit" not in responses[-1].headers
    same = [low.get(query, X_Forwarded_For=address, If_None_Match=etag) for _ in range(9)]
    assert 304 in {response.status for response in same}


def test_a_file_costs_as_much_as_ten_queries(low: Site, address: str) -> None:
    assert remaining(miss(low, address, f"{DAYS}?format=csv")) == LIMIT - COST


def test_every_public_surface_is_charged(low: Site, address: str) -> None:
    body = b'{"query": "monday"}'
    surfaces = [
        low.get("/api/search?q=monday", X_Forwarded_For=address),
        low.get("/api/dynamic_query?table_name=delays_by_day&limit=6", X_Forwarded_For=address),
        low.get("/api/", X_Forwarded_For=address),
        low.get("/explorer", X_Forwarded_For=address),
        low.get("/", X_Forwarded_For=address),
        low.get("/service_transfer", X_Forwarded_For=address),
        low.request(
            *("POST", "/api/advanced_search", body),
            Content_Type="application/json",
            X_Forwarded_For=address,
        ),
    ]
    assert [remaining(response) for response in surfaces] == [LIMIT - n for n in range(1, 8)]


def test_only_the_trusted_proxy_determines_the_client_address(
    demo: Platform, low: Site, address: str
) -> None:
    near = miss(low, address)
    assert remaining(miss(low, f"6.6.6.6, {address}")) == remaining(near) - 1
    own = Platform({**demo.env, "THROTTLE_PER_MINUTE": "3", "REDIS_PREFIX": f"{next(_numbers)}:"})
    with own.site(processes=1) as site:
        statuses = [miss(site, f"203.0.113.{n}").status for n in range(9)]
    assert statuses.count(429) >= 3  # a minute may have ended in between


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::1", "::1", True),
        ("192.0.2.1:5678", "192.0.2.1", True),
        ("[2001:db8:1:2::1]:5678", "2001:db8:1:2::2", True),
        ("192.0.2.1:5678", "192.0.2.2:5678", False),
    ],
)
def test_addresses_of_one_network_share_a_limit(one: str, other: str, same: bool) -> None:
    assert (throttles._network(one) == throttles._network(other)) is same


def test_leases_of_two_processes_never_exceed_the_limit(demo: Platform, address: str) -> None:
    caller, processes = Caller("address", address, 600), [RateLimiter(), RateLimiter()]

    def ask(number: int) -> bool:
        return processes[number % 2].charge(caller, 1).allowed

    with ThreadPoolExecutor(8) as pool:
        at_once = sum(pool.map(ask, range(900)))
    assert 500 < at_once <= 600
    rest = sum(map(ask, range(600)))  # leases that came last; one process may have all of them
    assert at_once + rest == 600


def test_no_address_is_written_to_valkey(demo: Platform, address: str) -> None:
    before = set(rate_limiter.valkey().scan_iter(rate_limiter.prefixed("window:*")))
    RateLimiter().charge(Caller("address", address, 600), 1)
    names = set(rate_limiter.valkey().scan_iter(rate_limiter.prefixed("window:*"))) - before
    assert names
    assert not any(b"198." in name for name in names)
    assert all(0 < rate_limiter.valkey().ttl(name) <= 120 for name in names)


def test_without_valkey_each_process_counts_alone(
    demo: Platform, tmp_path: Path, address: str
) -> None:
    own = Platform(
        {
            **demo.env,
            "REDIS_URL": f"redis+socket://{tmp_path}/valkey.sock?virtual_host=0",
            "THROTTLE_PER_MINUTE": str(LIMIT),
            "TRUSTED_PROXIES": "1",
        },
        log=tmp_path / "log",
    )
    with own_valkey(tmp_path) as server, own.site(processes=1) as site:
        before = miss(site, address)
        server.kill()
        server.wait()
        responses = [miss(site, address) for _ in range(LIMIT)]
        assert (remaining(before), before.status) == (LIMIT - 1, 200)
    assert [response.status for response in responses] == [200] * (LIMIT - 1) + [429]
    assert own.log.read_text().count("each process counts requests alone") == 1
