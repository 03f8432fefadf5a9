"""Failed logins are throttled across processes, without locking other people out."""

import http.client
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User

from airsense import login_throttle
from flights.access import rate_limiter
from tests.platform import Platform, Site, until
from tests.platforms import own_valkey

PATH = "/admin/login/"
SECRET = "t" * 32  # the CSRF cookie and field, which must be equal
RIGHT, WRONG = "a long phrase that opens", "one that does not"
_numbers = itertools.count(1)


@dataclass
class LoginResponse:
    status: int
    retry_after: int
    cookies: str
    page: str


@pytest.fixture(scope="module")
def doors(demo: Platform) -> Iterator[Site]:
    """Three web processes behind one proxy."""
    with Platform({**demo.env, "TRUSTED_PROXIES": "1"}).site(processes=3) as site:
        yield site


@pytest.fixture
def somebody(demo: Platform) -> str:
    """The name of a new user."""
    name = f"keeper{next(_numbers)}"
    User.objects.create_user(name, password=RIGHT, is_staff=True)
    return name


@pytest.fixture
def address(somebody: str) -> str:
    """An unused client address whose windows do not end during the test."""
    candidates = (f"192.0.2.{number}" for number in range(next(_numbers), 250, 7))
    names = ("{}", "{} " + somebody)
    return next(
        a
        for a in candidates
        if all(rate_limiter._window(n.format(a), login_throttle.WINDOW)[1] > 60 for n in names)
    )


def log_in(site: Site, address: str, name: str, password: str = WRONG) -> LoginResponse:
    form = {"username": name, "password": password, "csrfmiddlewaretoken": SECRET}
    headers = {
        "Cookie": f"csrftoken={SECRET}",
        "X-Forwarded-For": address,
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "text/html",
    }
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=30)
    connection.request("POST", PATH, urlencode({**form, "next": "/admin/"}), headers)
    response = connection.getresponse()
    page, received = response.read().decode(), response.headers
    connection.close()
    cookies = str(received.get_all("Set-Cookie"))
    return LoginResponse(response.status, int(received.get("Retry-After", 0)), cookies, page)


def test_after_five_failures_even_the_right_password_has_to_wait(
    doors: Site, address: str, somebody: str
) -> None:
    failed = [log_in(doors, address, somebody) for _ in range(login_throttle.PER_NAME)]
    assert {response.status for response in failed} == {200}
    assert "Please enter the correct username and password" in failed[-1].page
    refused = log_in(doors, address, somebody, RIGHT)
    assert refused.status == 429
    assert 0 < refused.retry_after <= login_throttle.WINDOW
    minutes = re.findall(
        r"5 logins for this name .* within 15 minutes. Try again in (\d+) m", refused.page
    )
    assert minutes == [str(-(-refused.retry_after // 60))]
    assert "sessionid" not in refused.cookies


def test_failures_from_one_address_lock_nobody_out_elsewhere(
    doors: Site, address: str, somebody: str
) -> None:
    for _ in range(login_throttle.PER_NAME + 3):
        last = log_in(doors, address, somebody)
    assert last.status == 429
    opened = log_in(doors, "203.0.113.77", somebody, RIGHT)
    assert opened.status == 302
    assert "sessionid" in opened.cookies
    assert log_in(doors, address, "admin").status == 200  # another name has its own limit


def test_trying_one_password_for_many_names_is_limited(doors: Site, address: str) -> None:
    names = [f"nobody{next(_numbers)}" for _ in range(login_throttle.PER_ADDRESS + 5)]
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda name: log_in(doors, address, name), names))
    assert Counter(a.status for a in responses) == {200: login_throttle.PER_ADDRESS, 429: 5}


def test_concurrent_guesses_are_limited_too(doors: Site, address: str, somebody: str) -> None:
    spellings = [somebody, somebody.upper(), somebody.title()] * 8
    with ThreadPoolExecutor(12) as pool:
        responses = list(pool.map(lambda name: log_in(doors, address, name), spellings))
    assert Counter(response.status for response in responses)[200] == login_throttle.PER_NAME


def test_logins_that_succeed_are_not_counted(doors: Site, address: str, somebody: str) -> None:
    for _ in range(3):
        log_in(doors, address, somebody)
    again = [log_in(doors, address, somebody, RIGHT) for _ in range(login_throttle.PER_NAME + 3)]
    assert {response.status for response in again} == {302}
    assert [log_in(doors, address, somebody).status for _ in range(3)] == [200, 200, 429]


def test_unknown_names_get_the_same_response(doors: Site, address: str, somebody: str) -> None:
    for name in (somebody, f"{somebody}x"):
        responses = [log_in(doors, address, name) for _ in range(login_throttle.PER_NAME + 1)]
        assert [response.status for response in responses] == [200] * login_throttle.PER_NAME + [
            429
        ]


def test_without_valkey_people_log_in_and_guesses_are_still_limited(
    demo: Platform, tmp_path: Path, address: str, somebody: str
) -> None:
    queue = f"redis+socket://{tmp_path}/valkey.sock?virtual_host=0"
    own = Platform({**demo.env, "REDIS_URL": queue, "TRUSTED_PROXIES": "1"})
    with own_valkey(tmp_path) as server, own.site(processes=1) as site:
        assert log_in(site, address, somebody).status == 200
        server.kill()
        server.wait()
        assert [log_in(site, address, somebody, RIGHT).status for _ in range(7)] == [302] * 7
        responses = [log_in(site, address, somebody).status for _ in range(5)]
    assert responses == [200, 200, 200, 200, 429]


def test_failed_tokens_are_counted_by_address_and_a_valid_token_still_works(
    demo: Platform,
) -> None:
    right = demo.token()
    own = Platform({**demo.env, "THROTTLE_PER_MINUTE": "20", "REDIS_PREFIX": "tokens:"})
    wrong = {"Authorization": f"Token {'0' * 40}"}
    with own.site(processes=2) as site:
        first = site.get("/api/transfers/", **wrong)
        assert (first.status, first.headers["ratelimit-policy"]) == (401, '"address";q=20;w=60')
        for path in ("/api/transfers/", "/api/exports/"):
            until(lambda path=path: site.get(path, **wrong).status == 429)
            assert site.get(path, Authorization=f"Token {right}").status == 200
