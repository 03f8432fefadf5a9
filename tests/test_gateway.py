"""The response cache: what it caches, for which clients, and for cache_status long."""

import gzip
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.platform import Platform, Response, Site, until
from tests.platforms import own_platform

TABLE = "delays_by_day"
MONDAY, TUESDAY = "2013-01-07,Alpha,A,B,10,20", "2013-01-08,Alpha,A,B,30,40"
QUERY = f"/api/dynamic_query?table_name={TABLE}&limit=5"


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with own_platform() as own:
        own.ingest(MONDAY)
        own.manage("transfer", "--all")
        yield own


@pytest.fixture(scope="module")
def one(platform: Platform) -> Iterator[Site]:
    """One web process, and therefore one cache."""
    with platform.site(processes=1) as site:
        until(lambda: cache_status(site.get(QUERY)) == "hit")
        yield site


def cache_status(response: Response) -> str:
    return response.headers["x-airsense-cache"]


def test_the_second_response_is_cached_and_equal(one: Site) -> None:
    query = f"/api/{TABLE}/?limit=3"
    first, second = one.get(query), one.get(query)
    assert (cache_status(first), cache_status(second)) == ("miss", "hit")
    assert first.body == second.body
    for name in ("content-type", "etag", "cache-control", "x-airsense-version", "vary"):
        assert first.headers[name] == second.headers[name]


def test_spellings_of_one_query_share_a_cache_entry(one: Site) -> None:
    one.get(f"/api/{TABLE}/?limit=2&columns=Day_of_Week")
    assert cache_status(one.get(f"/api/{TABLE}/?columns=Day%5Fof_Week&limit=2")) == "hit"
    assert cache_status(one.get(f"/api/{TABLE}/?columns=Day_of_Week&limit=1")) == "miss"


def test_responses_are_compressed_as_the_client_accepts(one: Site) -> None:
    query = f"/api/{TABLE}/?limit=9&Total_Flights__gte=1"
    plain = one.get(query)
    packed = [one.get(query, Accept_Encoding="gzip") for _ in range(2)]
    assert [cache_status(response) for response in packed] == ["miss", "hit"]
    for response in packed:
        zipped = response.headers.get("content-encoding") == "gzip"
        assert (gzip.decompress(response.body) if zipped else response.body) == plain.body


@pytest.mark.parametrize(
    "query",  # in the cache's own spelling, which is part of the ETag
    [
        f"/api/{TABLE}/?columns=Total_Flights&limit=1",
        f"/api/{TABLE}/?count=exact&group_by=Day_of_Week&limit=2",
        f"/api/{TABLE}/?cursor=&limit=1",
        f"/api/{TABLE}/?Total_Flights__gte=many",
        f"/api/dynamic_query?limit=2&table_name={TABLE}&where=Total_Flights__gt%3A0",
        "/api/dynamic_query?table_name=nowhere",
    ],
)
def test_a_cache_miss_gets_the_same_response_as_from_django(one: Site, query: str) -> None:
    short, whole = one.get(query), one.get(query, Authorization="Token x")
    assert (cache_status(short), cache_status(whole)) == ("miss", "bypass")
    assert (short.status, short.body) == (whole.status, whole.body)
    each = ("x-airsense-cache", "x-request-id", "ratelimit", "date", "vary")
    of_pages = ("allow", "x-frame-options", "referrer-policy", "cross-origin-opener-policy")
    for name in short.headers.keys() | whole.headers.keys() - {*each, *of_pages}:
        if name not in each:
            assert short.headers[name] == whole.headers[name], name


@pytest.mark.parametrize(
    "path", ["/", f"/explorer?table={TABLE}&limit=2&columns=", "/about", "/search?q=jfk"]
)
def test_a_page_is_cached_completely(one: Site, path: str) -> None:
    first, second = one.get(path), one.get(path)
    assert (cache_status(first), cache_status(second)) == ("miss", "hit")
    assert first.body == second.body
    for name in ("content-type", "content-security-policy", "x-frame-options", "referrer-policy"):
        assert first.headers[name] == second.headers[name]
    assert one.get(path, If_None_Match=first.headers["etag"]).status == 304
    assert cache_status(one.get(path, Cookie="sessionid=x")) == "bypass"


def test_a_page_without_data_is_not_cached() -> None:
    with own_platform() as empty, empty.site(processes=1) as site:
        until(lambda: cache_status(site.get("/api/")) == "miss")
        assert [cache_status(site.get("/")) for _ in range(2)] == ["miss", "miss"]


def test_a_response_that_the_client_has_is_answered_with_304(one: Site) -> None:
    etag = one.get(QUERY).headers["etag"]
    again = one.get(QUERY, If_None_Match=etag)
    assert (again.status, again.body, cache_status(again)) == (304, b"", "hit")
    assert again.headers["etag"] == etag
    assert one.get(QUERY, If_None_Match='"other"').status == 200


def test_a_head_request_gets_only_the_headers_also_before_any_get(one: Site) -> None:
    query = f"/api/{TABLE}/?limit=4"
    head, get = one.request("HEAD", query), one.get(query)
    assert (head.status, head.body) == (200, b"")
    assert get.json()
    assert head.headers["content-length"] == str(len(get.body))
    assert one.request("HEAD", query).body == b""


@pytest.mark.parametrize(
    "headers", [{"Cookie": "sessionid=x"}, {"Authorization": "Token x"}], ids=["cookie", "token"]
)
def test_requests_that_may_be_personal_bypass_the_cache(one: Site, headers: dict[str, str]) -> None:
    one.get(QUERY)
    assert cache_status(one.get(QUERY, **headers)) == "bypass"


def test_an_unknown_host_is_refused_even_for_cached_responses(one: Site) -> None:
    one.get(QUERY)
    assert one.get(QUERY, Host="evil.example.org").status == 400
    assert b"evil" not in one.get(QUERY).body


def test_errors_and_exports_are_not_cached(one: Site) -> None:
    for query in (f"/api/{TABLE}/?limit=none", f"/api/{TABLE}/?format=csv"):
        assert [cache_status(one.get(query)) for _ in range(2)] == ["miss", "miss"]


def test_the_list_of_tables_is_never_cached(one: Site) -> None:
    query = "/api/dynamic_query?table_name=information_schema.tables&columns=table_name"
    responses = [one.get(query) for _ in range(2)]
    assert [cache_status(response) for response in responses] == ["miss", "miss"]
    assert {response.headers["cache-control"] for response in responses} == {"no-store"}
    whole = one.get(query, Authorization="Token x")
    assert whole.body == responses[0].body


def test_concurrent_identical_misses_reach_django_once(one: Site) -> None:
    query = f"/api/{TABLE}/?limit=7&order_by=-Total_Flights"
    outcomes: Counter[str] = Counter()

    def ask() -> None:
        outcomes[cache_status(one.get(query))] += 1

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"miss": 1, "hit": 15}


def test_the_metrics_show_the_size_of_the_cache_and_its_limit(one: Site) -> None:
    text = one.get("/metrics").body.decode()
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    values = {name.partition("{")[0]: float(value) for name, value in figures.items()}
    assert 0 < values["airsense_cache_bytes"] <= values["airsense_cache_limit_bytes"]
    assert values["airsense_cache_sees_versions"] == 1


def test_a_full_cache_evicts_the_least_recently_used_entry(platform: Platform) -> None:
    small = Platform({**platform.env, "RESPONSE_CACHE_BYTES": "20000"})
    with small.site(processes=1) as site:
        until(lambda: cache_status(site.get(QUERY)) == "hit")
        for limit in range(1, 20):
            site.get(f"/api/{TABLE}/?limit={limit}")
        assert cache_status(site.get(f"/api/{TABLE}/?limit=19")) == "hit"
        assert cache_status(site.get(QUERY)) == "miss"


def test_a_new_version_is_seen_by_every_process_within_a_second(platform: Platform) -> None:
    with platform.site(processes=2) as site:
        until(lambda: cache_status(site.get(QUERY)) == "hit")
        old, page = site.get(QUERY), site.get("/")
        platform.ingest(f"{MONDAY}\n{TUESDAY}")
        platform.manage("transfer", "--all")
        until(lambda: site.get(QUERY).body != old.body, 1.5)
        until(lambda: all(len(site.get(QUERY).json()) == 2 for _ in range(10)), 1.5)
        until(lambda: all(site.get("/").body != page.body for _ in range(10)), 1.5)
        platform.manage("rollback", TABLE)
        until(lambda: all(site.get(QUERY).body == old.body for _ in range(10)), 1.5)
