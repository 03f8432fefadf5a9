"""The second factor: nobody acts in a session before showing it, and each code works once."""

import itertools
import re
import time
from base64 import b32decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import connections
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Browser, expect
from rest_framework.authtoken.models import Token

from airsense import login_throttle
from airsense.sign_in import second_factor
from flights.access import rate_limiter
from tests.browser import assert_accessible, opened
from tests.platform import Platform, Site
from tests.samples import EVERY

PAGE = "/admin/second-factor/"
PASSWORD = "the first factor"
LIST = "/admin/transfers/transfer/"
_numbers = itertools.count(1)


@pytest.fixture
def operator(demo: Platform) -> User:
    """A new user who may change something; the throttle's window lasts a minute more at least."""
    while True:
        name = f"second{next(_numbers)}-{time.time_ns()}"
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        if rate_limiter._window(str(user.pk), login_throttle.WINDOW)[1] > 60:
            user.groups.add(Group.objects.get(name="operator"))
            return user


@pytest.fixture(scope="module")
def strict(demo: Platform) -> Iterator[Site]:
    """Two web processes of a platform that requires a second factor."""
    with Platform({**demo.env, "REQUIRE_TOTP": "true"}).site(processes=2) as site:
        yield site


def log_in(user: User) -> Client:
    client = Client()
    form = {"username": user.username, "password": PASSWORD}
    assert client.post("/admin/login/", form).status_code == 302
    return client


def next_code(user: User) -> str:
    """A valid code that was not used yet: that of the present or of the next 30 seconds."""
    device = TOTPDevice.objects.get(user=user)
    totp = TOTP(device.bin_key)
    step = max(int(time.time()) // 30, device.last_t + 1)
    totp.time = step * 30
    return f"{totp.token():06}"


def enrol(client: Client, user: User) -> list[str]:
    """Set up a second factor; returns the recovery codes."""
    client.get(PAGE)
    page = client.post(PAGE, {"code": next_code(user)}).content.decode()
    codes = re.findall(r"<li>(\w{8})</li>", page)
    assert len(codes) == second_factor.RECOVERY_CODES
    return codes


def sign_in(client: Client, code: str) -> bool:
    return client.post(f"{PAGE}?next={LIST}", {"code": code}).status_code == 302


def is_signed_in(client: Client) -> bool:
    return client.get(LIST).status_code == 200


def test_a_password_alone_opens_nothing_once_a_second_factor_is_set_up(operator: User) -> None:
    enrol(log_in(operator), operator)
    client = log_in(operator)
    response = client.get(LIST)
    assert response["Location"] == f"/admin/login/?next={LIST}"
    assert (
        client.get(response["Location"])["Location"]
        == f"{PAGE}?next=%2Fadmin%2Ftransfers%2Ftransfer%2F"
    )
    for path in ("/api/transfers/", "/api/exports/"):
        assert client.get(path).status_code in (401, 403), path
    assert client.post("/admin/transfers/warehousejob/build/").status_code == 302
    assert client.post("/admin/password_change/", {"new_password1": "x"}).status_code == 302
    assert sign_in(client, next_code(operator))
    assert is_signed_in(client)
    assert client.get("/api/transfers/").status_code == 200


def test_a_code_works_once_even_if_several_send_it_at_once(operator: User) -> None:
    enrol(log_in(operator), operator)
    code = next_code(operator)
    clients = [log_in(operator) for _ in range(4)]

    def send(client: Client) -> bool:
        try:
            return sign_in(client, code)
        finally:
            connections.close_all()  # this thread's

    with ThreadPoolExecutor() as pool:
        results = list(pool.map(send, clients))
    assert sorted(results) == [False, False, False, True]


def test_a_recovery_code_works_once_and_new_ones_replace_the_old(operator: User) -> None:
    client = log_in(operator)
    first, second, *_ = enrol(client, operator)
    assert sign_in(log_in(operator), f" {first.upper()} ")
    assert not sign_in(log_in(operator), first)
    page = client.post(PAGE, {"code": next_code(operator)}).content.decode()
    assert len(re.findall(r"<li>(\w{8})</li>", page)) == second_factor.RECOVERY_CODES
    assert not sign_in(log_in(operator), second)


def test_wrong_codes_are_throttled_for_a_user_from_all_addresses(
    operator: User, strict: Site
) -> None:
    enrol(log_in(operator), operator)
    tries = [log_in(operator) for _ in range(login_throttle.PER_USER + 1)]
    statuses = [client.post(PAGE, {"code": "000000"}).status_code for client in tries]
    assert statuses == [200] * login_throttle.PER_USER + [429]
    refused = log_in(operator).post(PAGE, {"code": next_code(operator)})
    assert refused.status_code == 429
    assert "5 codes of this user were wrong within 15 minutes" in refused.content.decode()


def test_the_session_gets_a_new_id_with_the_second_factor_and_ends_with_it(operator: User) -> None:
    first = log_in(operator)
    enrol(first, operator)
    client = log_in(operator)
    before = client.cookies["sessionid"].value
    sign_in(client, next_code(operator))
    assert client.cookies["sessionid"].value != before
    second_factor.reset(operator)
    enrol(client, operator)  # on a new device
    assert is_signed_in(client)
    assert not is_signed_in(first)


def test_a_secret_counts_only_when_its_first_code_came(operator: User) -> None:
    client = log_in(operator)
    first = client.get(PAGE).content.decode()
    assert "data:image/svg+xml" in first
    assert client.post(PAGE, {"code": "123456"}).status_code == 200
    assert is_signed_in(log_in(operator))
    secret = re.findall(r'id="secret"[^>]*>(\w+)<', client.get(PAGE).content.decode())[0]
    assert secret not in first
    assert b32decode(secret) == TOTPDevice.objects.get(user=operator).bin_key
    enrol(client, operator)
    assert secret not in client.get(PAGE).content.decode()
    assert LogEntry.objects.filter(user=operator).values_list("change_message", flat=True)[0] == (
        "set up the second factor"
    )


def test_a_second_factor_is_removed_with_a_code_only(operator: User) -> None:
    client = log_in(operator)
    enrol(client, operator)
    client.post(PAGE, {"code": "000000", "remove": "1"})
    assert TOTPDevice.objects.filter(user=operator).exists()
    client.post(PAGE, {"code": next_code(operator), "remove": "1"})
    assert not TOTPDevice.objects.filter(user=operator).exists()
    assert is_signed_in(log_in(operator))


def test_a_command_resets_the_second_factor_of_a_locked_out_person(
    demo: Platform, operator: User
) -> None:
    enrol(log_in(operator), operator)
    assert "removed" in demo.manage("resettotp", operator.username)
    assert is_signed_in(log_in(operator))
    assert not StaticToken.objects.filter(device__user=operator).exists()
    assert "no second factor" in demo.attempt("resettotp", operator.username).stderr
    assert "no user named 'nobody'" in demo.attempt("resettotp", "nobody").stderr


def test_no_page_of_the_admin_shows_a_secret(operator: User) -> None:
    enrol(log_in(operator), operator)
    client = Client()
    client.force_login(User.objects.get(username="admin"))
    for path in ("otp_totp/totpdevice", "otp_static/staticdevice"):
        assert client.get(f"/admin/{path}/").status_code == 404
    for path in ("change", "delete", "history"):
        page = client.get(f"/admin/auth/user/{operator.pk}/{path}/").content.decode()
        assert TOTPDevice.objects.get(user=operator).key not in page


class Person:
    """Somebody with a browser at a site."""

    def __init__(self, site: Site, user: User) -> None:
        self.url, self.session = site.url, requests.Session()
        self.send("/admin/login/", username=user.username, password=PASSWORD)

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, timeout=30)

    def send(self, path: str, file: Any = None, **form: str) -> requests.Response:
        if "csrftoken" not in self.session.cookies:
            self.get("/admin/login/")
        form["csrfmiddlewaretoken"] = str(self.session.cookies["csrftoken"])
        return self.session.post(self.url + path, form, files=file, timeout=30)


def test_a_second_factor_is_required_of_everybody_who_may_change_something_and_of_nobody_else(
    strict: Site, operator: User
) -> None:
    person = Person(strict, operator)
    assert PAGE in person.get(LIST).url
    assert person.send("/api/transfers/").status_code in (401, 403)
    file = {"file": ("f.csv", b"x" * 200_000)}
    upload = person.send("/admin/transfers/warehousejob/ingest/", file)
    assert upload.status_code == 413  # the server does not read its body
    operator.groups.set([Group.objects.get(name="viewer")])
    assert person.get(LIST).url == strict.url + LIST
    operator.groups.clear()
    User.objects.filter(pk=operator.pk).update(is_superuser=True)
    assert PAGE in person.get(LIST).url


def test_a_required_second_factor_is_not_removed(strict: Site, operator: User) -> None:
    person = Person(strict, operator)
    person.get(PAGE)
    assert "recovery codes" in person.send(PAGE, code=next_code(operator)).text
    assert "Remove" not in person.get(PAGE).text
    person.send(PAGE, code=next_code(operator), remove="1")
    assert TOTPDevice.objects.filter(user=operator, confirmed=True).exists()


def test_a_token_needs_no_second_factor(strict: Site, operator: User) -> None:
    token = Token.objects.create(user=operator).key
    assert strict.get("/api/transfers/", Authorization=f"Token {token}").status == 200


def test_a_user_without_the_second_factor_can_log_out(strict: Site, operator: User) -> None:
    person = Person(strict, operator)
    assert person.send(PAGE, leave="1").url == f"{strict.url}/admin/login/"
    assert "sessionid" not in person.session.cookies


@pytest.mark.deep
def test_a_second_factor_is_set_up_in_a_browser(
    strict: Site, demo: Platform, browser: Browser
) -> None:
    name = f"browser{time.time_ns()}"
    create = f"User.objects.create_superuser({name!r}, password={PASSWORD!r})"
    demo.python(f"from django.contrib.auth.models import User; {create}")
    with opened(browser, strict.url) as page:
        page.goto(LIST)
        page.locator("#id_username").fill(name)
        page.locator("#id_password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"**{PAGE}**")
        assert_accessible(page, EVERY)
        secret = page.locator("#secret").inner_text()
        page.get_by_label("Code").fill(f"{TOTP(b32decode(secret)).token():06}")
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("#recovery-codes li")).to_have_count(second_factor.RECOVERY_CODES)
        assert_accessible(page, EVERY)
        page.get_by_role("link", name="Continue").click()
        page.wait_for_url(f"**{LIST}")
