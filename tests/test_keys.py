"""API keys: created, shown once, limited, revoked."""

import itertools
import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.db import ProgrammingError, connection
from django.test import Client
from django.utils import timezone

from flights.access import keys
from flights.models import SCOPES, ApiKey
from tests.api_keys import SECRET, log_without_keys
from tests.platform import Platform, Response, Site, until

DAYS = "/api/delays_by_day/"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def low(demo: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A web process with a very low limit per address, whose log is checked for keys."""
    env = {**demo.env, "THROTTLE_PER_MINUTE": "100", "REDIS_PREFIX": "keys:"}
    folder = tmp_path_factory.mktemp("low")
    with log_without_keys(folder) as log, Platform(env, log=log).site(processes=1) as site:
        yield site


@pytest.fixture
def admin(demo: Platform) -> Client:
    user = User.objects.create_user(f"keeper{next(_numbers)}", is_staff=True)
    user.groups.set(Group.objects.filter(name="administrator"))
    browser = Client()
    browser.force_login(user)
    return browser


def new_key(**facts: object) -> str:
    return keys.make(ApiKey(name=f"test {next(_numbers)}", **facts))


def outcome(site: Site, path: str, **headers: str) -> tuple[int, str]:
    response = site.get(path, **headers)
    return response.status, response.headers["x-airsense-cache"]


def miss(site: Site, secret: str, path: str = DAYS) -> Response:
    sign = "&" if "?" in path else "?"
    return site.get(f"{path}{sign}Total_Flights__not={next(_numbers)}", X_API_Key=secret)


def test_a_key_has_an_allowance_of_its_own(low: Site) -> None:
    secret = new_key(rate=5_000)
    responses = [miss(low, secret) for _ in range(150)]
    assert {response.status for response in responses} == {200}
    assert responses[0].headers["ratelimit-policy"] == '"key";q=5000;w=60'
    small = new_key(rate=2)
    assert 429 in {miss(low, small).status for _ in range(5)}


def test_an_invalid_key_is_refused_with_the_reason(low: Site) -> None:
    ended = new_key(ends_at=timezone.now() - timedelta(days=1))
    unknown = f"airsense_{'x' * 43}"
    for secret, reason in [("nonsense", "unknown"), (unknown, "unknown"), (ended, "expired at")]:
        response = miss(low, secret)
        assert response.status == 401
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["www-authenticate"].startswith("ApiKey")
        assert reason in response.json()["detail"]
        assert secret not in response.body.decode()


def test_failed_keys_are_counted_by_address(low: Site) -> None:
    response = miss(low, f"airsense_{'y' * 43}")
    assert response.headers["ratelimit-policy"].startswith('"address"')


@pytest.mark.parametrize(
    ("path", "scope"),
    [(f"{DAYS}?limit=2", "query"), ("/api/search?q=monday", "search"), ("/explorer", "query")],
)
def test_cached_responses_are_for_all_valid_keys_and_no_others(
    low: Site, path: str, scope: str
) -> None:
    secret = new_key(scopes=[scope])
    mine = ApiKey.objects.latest("pk")
    without = new_key(scopes=["export"])
    low.get(path)
    until(lambda: outcome(low, path) == (200, "hit"))
    assert outcome(low, path, X_API_Key=secret) == (200, "hit")
    assert outcome(low, path, X_API_Key="nonsense") == (401, "miss")
    assert outcome(low, path, X_API_Key=f"airsense_{'z' * 43}") == (401, "miss")
    assert outcome(low, path, X_API_Key=without) == (403, "miss")
    keys.revoke(mine)
    until(lambda: outcome(low, path, X_API_Key=secret) == (401, "miss"), seconds=1.5)
    assert outcome(low, path) == (200, "hit")


def test_a_revoked_key_is_refused_within_a_second(low: Site) -> None:
    secret = new_key()
    assert miss(low, secret).status == 200
    keys.revoke(ApiKey.objects.latest("pk"))
    until(lambda: miss(low, secret).status == 401, seconds=1.5)
    assert "was revoked at" in miss(low, secret).json()["detail"]


def test_a_key_is_limited_to_its_scopes(low: Site) -> None:
    secret = new_key(scopes=["search"])
    for path in (DAYS, f"{DAYS}?format=csv"):
        response = miss(low, secret, path)
        assert (response.status, response.json()["allowed"]) == (403, ["search"])
    assert low.get("/api/search?q=friday", X_API_Key=secret).status == 200
    assert miss(low, new_key(scopes=["export"]), f"{DAYS}?format=csv").status == 200


def test_only_a_hash_is_stored_and_the_public_role_sees_no_owner(demo: Platform) -> None:
    secret = new_key(note="Ms Private")
    with connection.cursor() as cursor:
        cursor.execute("SELECT flights_apikey::text FROM flights_apikey ORDER BY id DESC LIMIT 1")
        (row,) = cursor.fetchone()
    assert "Ms Private" in row
    assert secret not in row
    public = ApiKey.objects.using("reader")
    assert public.only(*keys.READ).latest("pk").prefix == secret[:16]
    with pytest.raises(ProgrammingError, match="permission denied"):
        public.values_list("note").latest("pk")


def test_last_use_is_noted_by_the_schedule(demo: Platform, tmp_path: Path) -> None:
    keys.save_last_uses()  # those of other tests
    secret = new_key()
    key = ApiKey.objects.latest("pk")
    with demo.site(processes=1) as site:
        began = timezone.now()
        miss(site, secret)
    assert keys.save_last_uses() == 1
    key.refresh_from_db()
    assert key.last_used_at is not None
    assert began - timedelta(seconds=1) < key.last_used_at < timezone.now()
    assert keys.save_last_uses() == 0


def test_uses_that_only_get_cached_responses_are_noted(demo: Platform) -> None:
    secret = new_key()
    key = ApiKey.objects.latest("pk")

    def last_use_after_a_hit(site: Site) -> datetime:
        assert outcome(site, DAYS, X_API_Key=secret) == (200, "hit")
        keys.save_last_uses()
        key.refresh_from_db()
        assert key.last_used_at
        return key.last_used_at

    with demo.site(processes=1) as site:
        until(lambda: outcome(site, DAYS) == (200, "hit"))
        first = last_use_after_a_hit(site)
        until(lambda: last_use_after_a_hit(site) > first)


def test_the_command_creates_and_revokes_keys(demo: Platform, low: Site) -> None:
    secret = demo.manage("apikey", "bench", "--rate=900000", "--scopes=query,search").strip()
    assert re.fullmatch(SECRET, secret)
    assert miss(low, secret).headers["ratelimit-policy"] == '"key";q=900000;w=60'
    assert "revoked: bench (airsense_" in demo.manage("apikey", "bench", "--revoke")
    until(lambda: miss(low, secret).status == 401, seconds=1.5)
    for wrong, reason in [
        (["x", "--scopes=nope"], "'nope' is not a scope; use query, search, export"),
        (["x", "--rate=0"], "'0' is not a whole number"),
        (["x", "--ends=soon"], "'soon' is not a day such as 2027-01-31"),
        (["nobody", "--revoke"], "There is no valid key named 'nobody'."),
    ]:
        done = demo.attempt("apikey", *wrong)
        assert done.returncode
        assert reason in done.stderr


def test_the_admin_shows_a_key_once_and_revokes_it(admin: Client, low: Site) -> None:
    form = {"name": "A paper", "scopes": ["query"], "rate": "50", "note": "by mail"}
    page = admin.post("/admin/flights/apikey/add/", form)
    (secret,) = re.findall(SECRET, page.content.decode())
    assert "no-store" in page.headers["Cache-Control"]
    assert miss(low, secret).headers["ratelimit-policy"] == '"key";q=50;w=60'
    key = ApiKey.objects.latest("pk")
    for path in ("/admin/flights/apikey/", f"/admin/flights/apikey/{key.pk}/change/", "/admin/"):
        text = admin.get(path).content.decode()
        assert secret not in text
        assert key.digest not in text
    chosen = {"action": "revoke", "_selected_action": [key.pk]}
    assert (
        "The selected keys are revoked."
        in admin.post("/admin/flights/apikey/", chosen, follow=True).content.decode()
    )
    until(lambda: miss(low, secret).status == 401, seconds=1.5)
    assert admin.post(f"/admin/flights/apikey/{key.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_admin_refuses_an_invalid_key_form(admin: Client) -> None:
    before = ApiKey.objects.count()
    page = admin.post("/admin/flights/apikey/add/", {"name": "", "scopes": ["all"], "rate": "0"})
    assert page.status_code == 200
    for message in (
        "This field is required",
        "is not one of the available",
        "greater than or equal",
    ):
        assert message in page.content.decode()
    assert ApiKey.objects.count() == before
    assert set(SCOPES) == {"query", "search", "export"}


def test_a_rate_is_changed_within_a_second(admin: Client, low: Site) -> None:
    secret = new_key(rate=700)
    key = ApiKey.objects.latest("pk")
    assert '"key";q=700;' in miss(low, secret).headers["ratelimit-policy"]
    form = {"name": key.name, "scopes": ["query"], "rate": "800", "note": ""}
    assert admin.post(f"/admin/flights/apikey/{key.pk}/change/", form).status_code == 302
    time.sleep(keys.CACHED_FOR)
    assert '"key";q=800;' in miss(low, secret).headers["ratelimit-policy"]
