"""A failing query runs once, and its response is the same with and without the response cache."""

import base64
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from flights.access import keys
from flights.models import ApiKey
from tests.platform import Platform, Response, Site, until

TABLE = "delays_by_day"
VIEWSET, DYNAMIC = f"/api/{TABLE}/?", f"/api/dynamic_query?table_name={TABLE}&"
TIME_LIMIT_MS = 700
PAST_THE_CACHE = {"Authorization": "Basic nobody"}  # the views ignore it, like a session
SAME = (
    *("content-type", "retry-after", "www-authenticate", "vary", "content-security-policy"),
    *("x-content-type-options", "access-control-allow-origin", "access-control-expose-headers"),
)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs") / "log"


@pytest.fixture(scope="module")
def quick(demo: Platform, log: Path) -> Iterator[Site]:
    """A web process with a short time limit for queries, which has seen the published versions."""
    env = {**demo.env, "READER_TIMEOUT_MS": str(TIME_LIMIT_MS)}
    with Platform(env, log=log).site(processes=1) as site:
        until(lambda: site.get(f"/api/{TABLE}/").headers["x-airsense-cache"] != "bypass")
        yield site


@contextmanager
def owner() -> Iterator["psycopg.Connection[tuple[str]]"]:
    facts = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    params = {name: facts[name] for name in names if facts.get(name)}
    with psycopg.connect(**params, autocommit=True) as other:
        yield other


def relation(other: "psycopg.Connection[tuple[str]]") -> str:
    """The rows of the published version."""
    row = other.execute(
        "SELECT v.\"table\" || '__v' || v.number FROM flights_publishedtable p"
        ' JOIN flights_tableversion v ON v.id = p.current_id WHERE v."table" = %s',
        [TABLE],
    ).fetchone()
    assert row
    return row[0]


@contextmanager
def locked() -> Iterator[None]:
    """Queries of the table wait until their time is over."""
    with owner() as other, other.transaction():
        other.execute(f"LOCK {relation(other)} IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def forbidden() -> Iterator[None]:
    """Queries of the table fail as a defect does: the reader may not read it."""
    with owner() as other:
        name, reader = relation(other), f"{other.info.dbname}_reader"
        other.execute(f"REVOKE SELECT ON {name} FROM {reader}")
        try:
            yield
        finally:
            other.execute(f"GRANT SELECT ON {name} TO {reader}")


@contextmanager
def executions() -> Iterator[set[tuple[int, object]]]:
    """Yield the statements that wait for the table, each as its process id and its start time.

    pg_stat_activity reads the statement of a process earlier than its wait, so the two may not
    belong together; only statements that name the table count.
    """
    seen, stop = set[tuple[int, object]](), Event()

    def look() -> None:
        with owner() as other:
            waiting = sql.SQL(
                "SELECT pid, query_start FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database() AND usename LIKE '%\\_reader'"
                " AND strpos(query, {}) > 0"
            ).format(relation(other))
            while not stop.is_set():
                rows = other.execute(waiting)
                seen.update((int(pid), began) for pid, began in rows)  # type: ignore[misc]
                time.sleep(0.01)

    watcher = Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def both_ways(site: Site, path: str, **headers: str) -> tuple[Response, Response]:
    """The responses of the process with the cache, and of Django alone."""
    fast = site.get(path, **headers)
    usual = site.get(path, **headers, **PAST_THE_CACHE)
    assert fast.headers["x-airsense-cache"] == "miss"
    assert usual.headers["x-airsense-cache"] == "bypass"
    return fast, usual


def assert_same(fast: Response, usual: Response, status: int) -> None:
    assert (fast.status, fast.body) == (usual.status, usual.body)
    assert fast.status == status
    assert fast.headers["content-length"] == str(len(fast.body))
    for name in SAME:
        assert fast.headers.get(name) == usual.headers.get(name), name


@pytest.mark.parametrize("path", [VIEWSET, DYNAMIC])
def test_a_query_that_hits_the_time_limit_runs_once(quick: Site, path: str) -> None:
    with locked(), executions() as seen:
        began = time.monotonic()
        response = quick.get(f"{path}limit=7")
        seconds = time.monotonic() - began
    assert (response.status, response.headers["retry-after"]) == (503, "1")
    assert b"took too long" in response.body
    assert len(seen) == 1
    assert seconds > TIME_LIMIT_MS / 1000


@pytest.mark.parametrize("path", [VIEWSET, "/api/search?q=monday&"])
def test_a_query_that_fails_runs_once_for_all_that_wait_for_it(quick: Site, path: str) -> None:
    with locked(), executions() as seen, ThreadPoolExecutor(2) as pool:
        responses = list(pool.map(lambda _: quick.get(f"{path}limit=6"), range(2)))
    assert [response.status for response in responses] == [503, 503]
    assert responses[0].body == responses[1].body
    assert {response.headers["retry-after"] for response in responses} == {"1"}
    assert len({response.headers["x-request-id"] for response in responses}) == 2
    assert len(seen) == 1
    assert quick.get(f"{path}limit=6").status == 200


@pytest.mark.parametrize("path", [VIEWSET, "/api/search?q=friday&"])
def test_a_wrong_key_is_refused_even_if_it_waits_for_a_query_that_fails(
    quick: Site, path: str
) -> None:
    exports_only = keys.make(ApiKey(name="exports only", scopes=["export"]))
    with locked(), executions() as seen, ThreadPoolExecutor(3) as pool:
        first = pool.submit(quick.get, f"{path}limit=5")
        until(lambda: seen)
        wrong = pool.submit(quick.get, f"{path}limit=5", X_API_Key="nobody-has-this")
        other = pool.submit(quick.get, f"{path}limit=5", X_API_Key=exports_only)
    assert [first.result().status, wrong.result().status, other.result().status] == [503, 401, 403]


@pytest.mark.parametrize("path", [VIEWSET, DYNAMIC])
def test_a_time_limit_has_the_same_response_with_and_without_the_cache(
    quick: Site, path: str
) -> None:
    with locked():
        assert_same(*both_ways(quick, f"{path}limit=8"), 503)
    assert quick.get(f"{path}limit=8").status == 200


@pytest.mark.parametrize("path", [VIEWSET, DYNAMIC])
def test_a_defect_is_answered_once_and_logged_once(quick: Site, log: Path, path: str) -> None:
    with forbidden():
        before = len(log.read_text())
        fast = quick.get(f"{path}limit=9")
        assert fast.headers["x-airsense-cache"] == "miss"
        log_text = log.read_text()[before:]
        usual = quick.get(f"{path}limit=9", **PAST_THE_CACHE)
    assert_same(fast, usual, 500)
    assert log_text.count("Internal Server Error: /api/") == 1
    assert log_text.count("InsufficientPrivilege: permission denied") == 1
    assert b"permission denied" not in fast.body
    assert quick.get(f"{path}limit=9").status == 200


WRONG = {
    "an unknown column": ("Town=Boston", 400),
    "a value of another kind": ("Total_Flights__gte=many", 400),
    "a parameter twice": ("limit=1&limit=2", 400),
    "a limit that is no number": ("limit=x", 400),
    "rows too far away": ("offset=1000001", 400),
    "too many parameters": ("&".join(f"a{n}=1" for n in range(51)), 400),
    "a cursor of another query": ("cursor=abcd", 400),
    "a NUL": ("Day_of_Week=%00", 400),
    "an unknown order": ("order_by=Town", 400),
    "a column that is not ASCII": ("columns=" + quote("ü"), 400),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("path", [VIEWSET, DYNAMIC])
def test_a_wrong_query_has_the_same_response_with_and_without_the_cache(
    quick: Site, path: str, wrong: str
) -> None:
    query, status = WRONG[wrong]
    assert_same(*both_ways(quick, path + query), status)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/dynamic_query", 400),
        ("/api/dynamic_query?table_name=nowhere", 404),
        (f"{DYNAMIC}where=Town:x", 400),
        (f"{DYNAMIC}order_direction=UP", 400),
    ],
)
def test_a_wrong_dynamic_query_has_the_same_response_with_and_without_the_cache(
    quick: Site, path: str, status: int
) -> None:
    assert_same(*both_ways(quick, path), status)


@pytest.mark.parametrize("path", [VIEWSET, DYNAMIC])
def test_a_pruned_version_has_the_same_response_with_and_without_the_cache(
    quick: Site, path: str
) -> None:
    link = quick.get(f"{VIEWSET}limit=1&cursor=").json()["next"]
    text = re.findall(r"cursor=([\w-]+)", link)[0]
    version, *rest = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    gone = json.dumps([version + 1_000_000, *rest]).encode()
    cursor = base64.urlsafe_b64encode(gone).decode().rstrip("=")
    assert_same(*both_ways(quick, f"{path}limit=1&cursor={cursor}"), 410)


@pytest.mark.parametrize("path", [VIEWSET, DYNAMIC])
def test_a_wrong_key_has_the_same_response_with_and_without_the_cache(
    quick: Site, path: str
) -> None:
    fast, usual = both_ways(quick, f"{path}limit=11", X_API_Key="nobody-has-this")
    assert_same(fast, usual, 401)
    assert "ApiKey" in fast.headers["www-authenticate"]
    key = ApiKey(name="searches only", scopes=["search"], rate=100)
    secret = keys.make(key)
    try:
        fast, usual = both_ways(quick, f"{path}limit=11", X_API_Key=secret)
        assert_same(fast, usual, 403)
        assert "ratelimit" in fast.headers  # it is counted, as every client's error is
    finally:
        key.delete()


@pytest.mark.parametrize("path", [VIEWSET, pytest.param(DYNAMIC, marks=pytest.mark.deep)])
def test_too_many_requests_have_the_same_response_with_and_without_the_cache(
    demo: Platform, path: str
) -> None:
    env = {**demo.env, "THROTTLE_PER_MINUTE": "1", "REDIS_PREFIX": f"once{len(path)}:"}
    with Platform(env).site(processes=1) as site:
        until(lambda: site.get(f"{path}limit=1").headers["x-airsense-cache"] != "bypass")
        queries = (f"{path}limit={number}" for number in range(12, 99))  # none is cached
        refused = next(query for query in queries if site.get(query).status == 429)
        fast, usual = both_ways(site, refused)
    assert_same(without_seconds(fast), without_seconds(usual), 429)
    assert 0 < int(fast.headers["retry-after"]) <= 60


def without_seconds(response: Response) -> Response:
    """The seconds until the minute ends pass between two requests."""
    body = re.sub(rb"in \d+ s", b"in 10 s", response.body)
    headers = {**response.headers, "retry-after": "10", "content-length": str(len(body))}
    return Response(response.status, headers, body)


@pytest.mark.parametrize("path", [VIEWSET, pytest.param(DYNAMIC, marks=pytest.mark.deep)])
def test_a_table_without_a_version_has_the_same_response_with_and_without_the_cache(
    fresh: Platform, path: str
) -> None:
    with fresh.site(processes=1) as site:
        until(lambda: site.get("/api/").headers["x-airsense-cache"] != "bypass")
        assert_same(*both_ways(site, f"{path}limit=1"), 503)
