"""With HTTPS=true browsers use HTTPS only, and Django's deployment check finds nothing."""

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.nginx import in_front_of
from tests.platform import Platform, Site

BY_HTTPS = {"X-Forwarded-Proto": "https"}
SETTINGS = {
    "HTTPS": "true",
    "TRUSTED_PROXIES": "1",
    "ALLOWED_HOSTS": "127.0.0.1,example.org",
    "PUBLIC_URL": "https://example.org",
}


@pytest.fixture(scope="module")
def secure(demo: Platform) -> Iterator[Site]:
    with Platform({**demo.env, **SETTINGS}).site(processes=1) as site:
        yield site


def get(site: Site, path: str, **headers: str) -> http.client.HTTPResponse:
    """Send a request without following redirects."""
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=30)
    http_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, headers={"Host": "example.org", **http_headers})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_djangos_check_of_a_deployment_finds_nothing(demo: Platform) -> None:
    done = Platform({**demo.env, **SETTINGS}).attempt("check", "--deploy", "--fail-level=WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_the_check_of_a_deployment_names_settings_that_contradict_a_proxy(demo: Platform) -> None:
    wrong = {**demo.env, **SETTINGS, "TRUSTED_PROXIES": "0", "PUBLIC_URL": "http://example.org"}
    done = Platform(wrong).attempt("check", "--deploy", "--fail-level=WARNING")
    assert done.returncode == 1
    assert "TRUSTED_PROXIES is 0" in done.stderr
    assert "PUBLIC_URL=http://example.org is not https" in done.stderr


def test_a_host_that_a_client_forwards_is_ignored(secure: Site) -> None:
    forged = {"X_Forwarded_Host": "evil.example", "Forwarded": "host=evil.example;proto=https"}
    plain = get(secure, "/admin/login/", **forged)
    assert (plain.status, plain.headers["Location"]) == (301, "https://example.org/admin/login/")
    assert get(secure, "/admin/login/", Host="evil.example", **BY_HTTPS).status == 400


def test_a_form_from_another_origin_is_refused_and_the_error_names_the_settings(
    secure: Site, site: Site
) -> None:
    origin = {"Origin": "https://example.org", "Accept": "text/html"}
    response = site.request("POST", "/admin/login/", b"username=admin", **origin)
    assert response.status == 403
    assert b"CSRF_TRUSTED_ORIGINS=https://example.org" in response.body
    assert b"HTTPS=true" in response.body
    hostile = site.request("POST", "/admin/login/", b"", Origin="null", Accept="text/html")
    assert hostile.status == 403
    assert b"CSRF_TRUSTED_ORIGINS" not in hostile.body


@pytest.mark.parametrize(
    "path", ["/", "/admin/login/", "/api/delays_by_day/", "/api/search?q=x", "/explorer"]
)
def test_http_redirects_to_https_with_hsts(secure: Site, path: str) -> None:
    plain = get(secure, path)
    assert (plain.status, plain.headers["Location"]) == (301, f"https://example.org{path}")
    response = get(secure, path, **BY_HTTPS)
    assert response.status == 200
    assert response.headers["Strict-Transport-Security"] == "max-age=2592000"


def test_cookies_are_never_sent_by_plain_http(secure: Site) -> None:
    cookies = get(secure, "/admin/login/", **BY_HTTPS).headers.get_all("Set-Cookie") or []
    assert cookies
    assert all("Secure" in cookie for cookie in cookies)


def test_health_and_metrics_work_over_http_and_by_any_address(secure: Site) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert get(secure, path).status == 200
        # A load balancer names the server by its address in the network.
        assert get(secure, path, Host="10.0.1.7:8000").status == 200
    assert get(secure, "/", Host="10.0.1.7:8000", **BY_HTTPS).status == 400


def test_nginx_keeps_the_scheme_that_a_proxy_in_front_of_it_states(secure: Site) -> None:
    with in_front_of(secure) as front:
        assert get(front, "/api/delays_by_day/", **BY_HTTPS).status == 200
        assert get(front, "/explorer", **BY_HTTPS).status == 200
        assert get(front, "/explorer").status == 301
