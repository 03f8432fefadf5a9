"""Status requests are answered in time, even if PostgreSQL, Valkey or the warehouse hangs."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from tests import raw_http
from tests.own_postgresql import Server, own_postgresql, paused, platform_of
from tests.platform import Platform, Site, until
from tests.platforms import own_valkey
from tests.slow_clients import waiting
from tests.warehouse.running import running

DEADLINE = 2.0  # seconds, the default of STATUS_TIMEOUT_MS
BUSY = 4.0  # more seconds, for a busy machine
CLIENTS = 40
WEEK = "2013-01-07,Alpha,X,Y,10,5\n2013-01-08,Beta,Y,X,1,2"
PAGE = "/api/delays_by_day/?limit=2"


@contextmanager
def crowd(site: Site, path: str, user: dict[str, str]) -> Iterator[list[float]]:
    """Let clients request the path during the block; yield the seconds of their responses."""
    seconds, ends = list[float](), list[bool]()

    def ask(_: int) -> None:
        while not ends:
            began = time.monotonic()
            site.get(path, **user)
            seconds.append(time.monotonic() - began)

    with ThreadPoolExecutor(CLIENTS) as pool:
        asking = pool.map(ask, range(CLIENTS))
        try:
            yield seconds
        finally:
            ends.append(True)
        list(asking)


def check(
    site: Site, path: str, stop: Callable[[], AbstractContextManager[None]], **user: str
) -> None:
    """Check a path while a part is up, while it hangs and many clients ask, and when it is back."""
    until(lambda: site.get(path, **user).status == 200)
    until(lambda: site.get(PAGE).headers["x-airsense-cache"] == "hit")
    with stop(), crowd(site, path, user) as seconds:
        until(lambda: site.get(path, **user).status == 503)
        for _ in range(10):
            check_pages(site)
        until(lambda: len(seconds) > 5 * CLIENTS)
        assert max(seconds) < DEADLINE + BUSY
        assert site.get(path, **user).status == 503
    until(lambda: site.get(path, **user).status == 200)
    check_pages(site)


def check_pages(site: Site) -> None:
    for path in ("/healthz", PAGE):
        began = time.monotonic()
        response = site.get(path)
        assert response.status == 200
        assert time.monotonic() - began < BUSY, path
        time.sleep(0.1)


def reports(platform: Platform, *parts: str) -> None:
    """Check that `manage.py status` ends in time and reports the parts as down."""
    began = time.monotonic()
    status = platform.attempt("status", *parts)
    assert status.returncode == 1
    assert time.monotonic() - began < DEADLINE + 5 * BUSY  # Django starts, too
    for part in parts:
        assert f"DOWN {part}" in status.stdout


@pytest.mark.deep
def test_a_valkey_that_hangs_is_unreachable(demo: Platform, tmp_path: Path) -> None:
    queue = f"redis+socket://{tmp_path}/valkey.sock?virtual_host=0"
    own = Platform({**demo.env, "REDIS_URL": queue})
    with own_valkey(tmp_path) as valkey, own.running("worker"), own.site() as site:
        check(site, "/connector", lambda: paused(valkey.pid))
        with paused(valkey.pid):
            reports(own, "valkey", "worker")


@pytest.mark.deep
def test_a_warehouse_that_hangs_is_unreachable(demo: Platform, tmp_path: Path) -> None:
    with running(tmp_path, "--inline") as warehouse:
        own = Platform({**demo.env, **warehouse.env})
        with own.site() as site:
            user = {"Authorization": f"Token {own.token()}"}
            check(site, "/dbstatus", lambda: paused(warehouse.process), **user)
            with paused(warehouse.process):
                reports(own, "warehouse")
                status = own.attempt("status", "warehouse").stdout
    assert "does not answer within 2 s" in status


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Server]:
    with own_postgresql() as server:
        yield server


@pytest.fixture(scope="module")
def platform(postgresql: Server) -> Iterator[Platform]:
    with platform_of(postgresql) as own:
        own.ingest(WEEK)
        own.manage("transfer", "--all")
        yield own


@pytest.mark.deep
@pytest.mark.parametrize("path", ["/rdsstatus", "/readyz"])
def test_a_postgresql_that_takes_no_connections_is_unreachable(
    postgresql: Server, platform: Platform, path: str
) -> None:
    """Cached responses are served as long as the connection that watches for versions works."""
    with platform.site(processes=1) as site:
        check(site, path, lambda: postgresql.silent(whole=False))


@pytest.mark.deep
def test_the_admin_answers_503_while_postgresql_hangs_and_works_afterwards(
    postgresql: Server, platform: Platform
) -> None:
    code = (
        "from django.contrib.auth.models import User; from django.test import Client;"
        "client = Client(); client.force_login(User.objects.get(username='admin'));"
        "print(client.cookies['sessionid'].value)"
    )
    cookie = f"sessionid={platform.python(code).strip()}"
    with platform.site(processes=1) as site:
        for path in ("/admin/", "/admin/transfers/transfer/", "/explorer"):
            assert site.get(path, Cookie=cookie).status == 200
        with postgresql.silent(whole=True), ThreadPoolExecutor(6) as pool:
            for path in ("/admin/", "/admin/transfers/transfer/", "/explorer"):
                began = time.monotonic()
                responses = list(pool.map(lambda _, p=path: site.get(p, Cookie=cookie), range(6)))
                assert {response.status for response in responses} == {503}, path
                assert b"database does not respond" in responses[0].body
                assert time.monotonic() - began < 4 * DEADLINE + 3 * BUSY, path
        until(lambda: site.get("/admin/", Cookie=cookie).status == 200)


def test_a_postgresql_that_hangs_delays_neither_health_nor_status(
    postgresql: Server, platform: Platform
) -> None:
    """Even if every thread that may query waits for PostgreSQL."""
    with platform.site(processes=1) as site, ExitStack() as hanging:
        hanging.enter_context(postgresql.silent(whole=True))
        request = raw_http.head("GET", PAGE, "X-API-Key: none")
        hanging.enter_context(waiting(site, 20, request))
        for path, status in {"/healthz": 200, "/rdsstatus": 503, "/readyz": 503}.items():
            began = time.monotonic()
            assert site.get(path).status == status
            assert time.monotonic() - began < DEADLINE + BUSY, path
        reports(platform, "postgresql", "beat")
        hanging.close()
        for path in ("/healthz", "/rdsstatus", "/readyz"):
            until(lambda path=path: site.get(path).status == 200)


def test_the_status_page_reports_quickly_that_postgresql_hangs(
    postgresql: Server, platform: Platform
) -> None:
    with platform.site(processes=1) as site:
        assert site.get("/status").status == 200
        with postgresql.silent(whole=True):
            time.sleep(3.5)  # until what was read before is too old
            began = time.monotonic()
            page = site.get("/status", Accept="text/html", Cookie="sessionid=x")
            seconds = time.monotonic() - began
            body = site.get("/api/status").json()
        assert page.status == 503
        assert "The database does not respond at the moment" in page.body.decode()
        assert seconds < 5
        assert (body["status"], body["tables"]) == ("degraded", [])
