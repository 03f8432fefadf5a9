"""HTTP as clients and proxies know it: problems, methods, other sites' pages, request ids."""

import pytest

from tests.whole import Site

DAYS = "/api/delays_by_day/"


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [
        (f"{DAYS}?Nope=1", 400, "Bad Request"),
        ("/api/nowhere/", 404, "Not Found"),
        ("/api/search", 400, "Bad Request"),
        ("/api/transfers/", 401, "Unauthorized"),
        (f"{DAYS}?format=pdf", 404, "Not Found"),
    ],
)
def test_an_error_is_a_problem_with_its_details(
    site: Site, path: str, status: int, title: str
) -> None:
    answer = site.get(path, Accept="*/*")
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert (said["type"], said["status"], said["title"]) == ("about:blank", status, title)
    assert said["detail"].endswith(".")


def test_the_first_routes_keep_their_shape(site: Site) -> None:
    for path in ("/api/dynamic_query", "/api/dynamic_query?table_name=delays_by_day&Nope=1"):
        answer = site.get(path)
        assert set(answer.json()) == {"error", "allowed"}
        assert answer.headers["content-type"] == "application/json"
    for form in ("csv", "xlsx", "pdf"):
        answer = site.get(f"/api/dynamic_query?table_name=delays_by_day&Nope=1&format={form}")
        assert set(answer.json()) == {"error", "allowed"}
        assert answer.headers["content-type"] == "application/json"
    refused = site.ask("POST", "/api/advanced_search", b"{}", Content_Type="application/json")
    assert set(refused.json()) == {"error"}


def test_head_is_get_without_a_body(site: Site) -> None:
    graphql = "/api/graphql?query=%7Bdelays_by_day%7Bversion%7D%7D"
    for path in (DAYS, "/api/", "/api/search?q=monday", f"{DAYS}?format=parquet", graphql):
        head, get = site.ask("HEAD", path), site.get(path)
        assert (head.status, head.body) == (200, b"")
        own = {"date", "x-request-id", "x-airsense-cache", "content-length", "transfer-encoding"}
        own |= {"ratelimit", "ratelimit-policy"}  # the second answer can be a kept one
        assert {n: v for n, v in head.headers.items() if n not in own} == {
            n: v for n, v in get.headers.items() if n not in own
        }


def test_pages_of_other_sites_may_read_and_nothing_else(site: Site) -> None:
    other = {"Origin": "https://example.org"}
    for path in (DAYS, "/api/search?q=monday", f"{DAYS}?Nope=1"):
        for _ in range(2):  # of Django, and kept
            read = site.get(path, **other)
            assert read.headers["access-control-allow-origin"] == "*"
            assert read.headers["access-control-expose-headers"] == "*"
    asked = {**other, "Access-Control-Request-Method": "GET"}
    preflight = site.ask("OPTIONS", DAYS, None, **asked)
    assert preflight.status == 204
    allowed = preflight.headers["access-control-allow-headers"].split(", ")
    assert {"If-None-Match", "X-API-Key"} <= set(allowed)
    assert "Authorization" not in allowed
    for path in ("/api/transfers/", "/admin/", "/explorer"):
        assert "access-control-allow-origin" not in site.get(path, **other).headers
    wrote = site.ask("POST", "/api/advanced_search", b"{}", Content_Type="application/json")
    assert "access-control-allow-origin" not in wrote.headers


def test_options_tell_what_can_be_done(site: Site) -> None:
    answer = site.ask("OPTIONS", DAYS)
    assert answer.status == 200
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_each_request_has_an_id_of_its_own(site: Site) -> None:
    answers = [site.get(path) for path in (DAYS, DAYS, DAYS, "/", "/api/nowhere/")]
    assert "hit" in {answer.headers["x-airsense-cache"] for answer in answers}
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    given = site.get(DAYS, X_Request_ID="proxy-1.a")
    assert given.headers["x-request-id"] == "proxy-1.a"
    for forged in ("a b", "x" * 65, "ü"):
        assert site.get(DAYS, X_Request_ID=forged).headers["x-request-id"] != forged
