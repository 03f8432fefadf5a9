"""Sign-in by an OpenID Connect provider: who becomes which user, and which tokens are refused."""

import itertools
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.contrib.auth.models import Group, User
from django_otp.plugins.otp_totp.models import TOTPDevice
from joserfc.jwk import RSAKey
from playwright.sync_api import Browser, expect

from airsense.models import Identity
from airsense.permission_groups import GROUPS
from airsense.sign_in import provider_settings
from tests import sign_in_provider
from tests.browser import assert_accessible, opened
from tests.platform import Platform, Site
from tests.samples import Sample
from tests.sign_in_provider import Provider

START = "/admin/oidc/"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    with sign_in_provider.running() as server:
        yield server


@pytest.fixture(scope="module")
def platform(demo: Platform, server: Provider) -> Iterator[Site]:
    settings = {
        "OIDC_ISSUER": server.issuer,
        "OIDC_CLIENT_ID": sign_in_provider.CLIENT,
        "OIDC_CLIENT_SECRET": sign_in_provider.SECRET,
        "OIDC_NAME": "Example Ltd",
        "OIDC_GROUPS": "viewer=staff,operator=data team,administrator=admins",
        "REQUIRE_TOTP": "true",
    }
    with Platform({**demo.env, **settings}).site(processes=1) as site:
        yield site


@pytest.fixture
def provider(server: Provider) -> Iterator[Provider]:
    """The provider with a new person, who belongs to its group "staff"."""
    server.heal()
    server.person = {"sub": f"person-{next(_numbers)}-{time.time_ns()}", "groups": ["staff"]}
    yield server
    server.heal()


def sign_in(site: Site, **session: Any) -> requests.Response:
    """Begin at the login page's link, follow the provider, return the page at the end."""
    with requests.Session() as browser:
        browser.cookies.update(session)
        return browser.get(f"{site.url}{START}?next=/admin/flights/delaysbyday/", timeout=30)


def user_of(provider: Provider) -> User:
    return Identity.objects.get(subject=provider.person["sub"]).user


def test_a_person_of_a_mapped_group_becomes_a_user_with_that_group_and_no_password(
    platform: Site, provider: Provider
) -> None:
    provider.person |= {"email": "ann@example.org", "email_verified": True}
    page = sign_in(platform)
    assert (page.status_code, page.url) == (200, f"{platform.url}/admin/flights/delaysbyday/")
    user = user_of(provider)
    assert [group.name for group in user.groups.all()] == ["viewer"]
    assert (user.is_staff, user.is_superuser, user.has_usable_password()) == (True, False, False)
    assert user.email == "ann@example.org"
    assert sign_in(platform).status_code == 200
    assert user_of(provider) == user


def test_a_person_without_a_mapped_group_gets_no_permission_and_no_session(
    platform: Site, provider: Provider
) -> None:
    provider.person["groups"] = ["cleaners"]
    page = sign_in(platform)
    assert page.status_code == 403
    assert "Ask an administrator" in page.text
    user = user_of(provider)
    assert (user.is_staff, user.get_all_permissions()) == (False, set())


def test_a_group_that_the_provider_withdraws_is_gone_at_the_next_sign_in(
    platform: Site, provider: Provider
) -> None:
    sign_in(platform)
    user = user_of(provider)
    provider.person["groups"] = []
    assert sign_in(platform).status_code == 403
    assert not user.groups.exists()
    assert not User.objects.get(pk=user.pk).is_staff


def test_nobody_becomes_an_existing_user_by_its_name_or_mail_address(
    platform: Site, provider: Provider
) -> None:
    admin = User.objects.get(username="admin")
    User.objects.filter(pk=admin.pk).update(email="boss@example.org")
    provider.person |= {"preferred_username": "Admin", "email": "boss@example.org"}
    provider.person["email_verified"] = True
    sign_in(platform)
    assert user_of(provider) != admin
    assert user_of(provider).username.startswith("Admin-")
    assert not admin.identities.exists()


def test_a_mail_address_that_the_provider_has_not_verified_is_not_stored(
    platform: Site, provider: Provider
) -> None:
    provider.person |= {"email": "somebody@example.org", "email_verified": False}
    sign_in(platform)
    assert user_of(provider).email == ""


def test_a_switched_off_user_does_not_sign_in(platform: Site, provider: Provider) -> None:
    sign_in(platform)
    User.objects.filter(pk=user_of(provider).pk).update(is_active=False)
    assert sign_in(platform).status_code == 403


@pytest.mark.parametrize(
    "spoilt",
    [
        {"iss": "http://127.0.0.1:1"},
        {"aud": "another client"},
        {"aud": "another client", "azp": sign_in_provider.CLIENT},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"sub": None},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    ids=str,
)
def test_an_id_token_with_a_wrong_claim_is_refused(
    platform: Site, provider: Provider, spoilt: dict[str, Any]
) -> None:
    provider.claims = spoilt
    _assert_refused(platform, provider)


def test_an_id_token_with_another_signature_is_refused(platform: Site, provider: Provider) -> None:
    provider.key = RSAKey.generate_key(2048, {"kid": "present"})
    _assert_refused(platform, provider)


def test_a_key_that_the_provider_has_added_is_fetched(platform: Site, provider: Provider) -> None:
    provider.key = RSAKey.generate_key(2048, {"kid": str(next(_numbers)), "alg": "RS256"})
    provider.published.append(provider.key)
    assert sign_in(platform).status_code == 200


def test_a_provider_that_does_not_answer_is_503(platform: Site, provider: Provider) -> None:
    provider.breaks_off = True
    page = sign_in(platform)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "60")
    assert "does not respond" in page.text


def test_a_code_is_useless_without_the_verifier_of_the_browser_that_began(
    platform: Site, provider: Provider
) -> None:
    provider.verifier = "of somebody who found the code"
    _assert_refused(platform, provider)


def _assert_refused(platform: Site, provider: Provider) -> None:
    page = sign_in(platform)
    assert page.status_code == 403
    assert "did not succeed" in page.text
    assert not Identity.objects.filter(subject=provider.person["sub"]).exists()


def test_an_answer_counts_once_and_only_in_the_browser_that_began(
    platform: Site, provider: Provider
) -> None:
    with requests.Session() as browser:
        begun = browser.get(f"{platform.url}{START}", allow_redirects=False, timeout=30)
        sent = requests.get(begun.headers["Location"], allow_redirects=False, timeout=30)
        back = sent.headers["Location"]
        assert requests.get(back, timeout=30).status_code == 403  # somebody else's browser
        assert browser.get(back.replace("state=", "state=x"), timeout=30).status_code == 403
        assert browser.get(back, timeout=30).url == f"{platform.url}/admin/"
        assert browser.get(back, timeout=30).status_code == 403


def test_the_error_text_of_the_provider_is_not_shown(platform: Site, provider: Provider) -> None:
    path = "/admin/oidc/callback/?error=access_denied&error_description=Call+this+number"
    page = platform.get(path, Accept="text/html")
    assert page.status == 403
    assert b"Call this number" not in page.body


def test_a_sign_in_never_redirects_to_another_site(platform: Site, provider: Provider) -> None:
    with requests.Session() as browser:
        for target in ("https://evil.example/", "//evil.example/", "/\\evil.example/"):
            page = browser.get(f"{platform.url}{START}", params={"next": target}, timeout=30)
            assert page.url == f"{platform.url}/admin/"


def test_a_session_of_the_provider_that_may_change_something_needs_a_second_factor(
    platform: Site, provider: Provider
) -> None:
    provider.person["groups"] = ["data team"]
    assert "/admin/second-factor/" in sign_in(platform).url
    provider.claims = {"amr": ["pwd", "mfa"]}  # the provider verified one
    assert sign_in(platform).url == f"{platform.url}/admin/flights/delaysbyday/"
    assert not TOTPDevice.objects.filter(user=user_of(provider), confirmed=True).exists()


def test_a_session_gets_a_new_id_and_its_cookie_is_for_the_server_alone(
    platform: Site, provider: Provider
) -> None:
    with requests.Session() as browser:
        browser.get(f"{platform.url}{START}", allow_redirects=False, timeout=30)
        before = browser.cookies["sessionid"]
        response = browser.get(f"{platform.url}{START}", timeout=30).history[-1]
        assert browser.cookies["sessionid"] != before
    cookie = response.headers["Set-Cookie"]
    assert re.search(r"sessionid=\w+; .*HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax", cookie)


def test_an_administrator_adds_an_identity_to_an_existing_user(
    platform: Site, provider: Provider
) -> None:
    user = User.objects.create_user(f"linked{time.time_ns()}", is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))
    subject = provider.person["sub"]
    Identity.objects.create(user=user, issuer=provider.issuer, subject=subject)
    assert sign_in(platform).url == f"{platform.url}/admin/flights/delaysbyday/"
    assert user_of(provider) == user


def test_the_groups_of_the_settings_are_those_that_exist() -> None:
    assert set(provider_settings.GROUPS) == set(GROUPS)


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"OIDC_ISSUER": "http://provider.example"}, "is not of the form https://host/path"),
        ({"OIDC_ISSUER": "https://provider.example"}, "needs OIDC_CLIENT_ID"),
        ({"OIDC_GROUPS": "superuser=boss"}, "groups are viewer, operator, administrator"),
    ],
)
def test_a_wrong_setting_is_named(demo: Platform, env: dict[str, str], message: str) -> None:
    done = Platform({**demo.env, **env}).attempt("check")
    assert done.returncode != 0
    assert message in done.stderr


def test_a_person_signs_in_with_the_provider_in_a_browser(
    platform: Site, provider: Provider, browser: Browser, sample: Sample
) -> None:
    with opened(browser, platform.url, trusted=provider.issuer) as page:
        page.goto("/admin/transfers/transfer/")
        assert_accessible(page, sample)
        page.get_by_role("link", name="Sign in with Example Ltd").click()
        page.wait_for_url("**/admin/transfers/transfer/")
        expect(page.get_by_role("heading", name="Transfers").first).to_be_visible()
