"""HTTP behaviour: problem details, methods, CORS, request ids, content negotiation."""

import http.client
import json
from urllib.parse import quote, urlsplit

import pytest

from tests.platform import Site

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
    response = site.get(path, Accept="*/*")
    assert response.status == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["type"], body["status"], body["title"]) == ("about:blank", status, title)
    assert body["detail"].endswith(".")


FIRST_ERROR = {"error", "message", "detail"}


def test_legacy_routes_keep_their_error_format(site: Site) -> None:
    for path in ("/api/dynamic_query", "/api/dynamic_query?table_name=delays_by_day&Nope=1"):
        response = site.get(path)
        assert set(response.json()) == {*FIRST_ERROR, "allowed"}
        assert response.headers["content-type"] == "application/json"
    for form in ("csv", "xlsx", "pdf"):
        response = site.get(f"/api/dynamic_query?table_name=delays_by_day&Nope=1&format={form}")
        assert set(response.json()) == {*FIRST_ERROR, "allowed"}
        assert response.headers["content-type"] == "application/json"
    refused = site.request("POST", "/api/advanced_search", b"{}", Content_Type="application/json")
    assert set(refused.json()) == FIRST_ERROR


def test_head_is_get_without_a_body(site: Site) -> None:
    graphql = "/api/graphql?query=%7Bdelays_by_day%7Bversion%7D%7D"
    for path in (DAYS, "/api/", "/api/search?q=monday", f"{DAYS}?format=parquet", graphql):
        head, get = site.request("HEAD", path), site.get(path)
        assert (head.status, head.body) == (200, b"")
        own = {"date", "x-request-id", "x-airsense-cache", "content-length", "transfer-encoding"}
        own |= {"ratelimit", "ratelimit-policy"}  # the second response can be a cached one
        assert {n: v for n, v in head.headers.items() if n not in own} == {
            n: v for n, v in get.headers.items() if n not in own
        }


def test_pages_of_other_sites_may_read_and_nothing_else(site: Site) -> None:
    other = {"Origin": "https://example.org"}
    for path in (DAYS, "/api/search?q=monday", f"{DAYS}?Nope=1"):
        for _ in range(2):  # from Django, then from the cache
            read = site.get(path, **other)
            assert read.headers["access-control-allow-origin"] == "*"
            assert read.headers["access-control-expose-headers"] == "*"
    headers = {**other, "Access-Control-Request-Method": "GET"}
    preflight = site.request("OPTIONS", DAYS, None, **headers)
    assert preflight.status == 204
    allowed = preflight.headers["access-control-allow-headers"].split(", ")
    assert {"If-None-Match", "X-API-Key"} <= set(allowed)
    assert "Authorization" not in allowed
    for path in ("/api/transfers/", "/admin/", "/explorer"):
        assert "access-control-allow-origin" not in site.get(path, **other).headers
    wrote = site.request("POST", "/api/advanced_search", b"{}", Content_Type="application/json")
    assert "access-control-allow-origin" not in wrote.headers


def test_options_lists_the_allowed_methods(site: Site) -> None:
    response = site.request("OPTIONS", DAYS)
    assert response.status == 200
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"


def test_each_request_has_an_id_of_its_own(site: Site) -> None:
    responses = [site.get(path) for path in (DAYS, DAYS, DAYS, "/", "/api/nowhere/")]
    assert "hit" in {response.headers["x-airsense-cache"] for response in responses}
    assert len({response.headers["x-request-id"] for response in responses}) == len(responses)
    response = site.get(DAYS, X_Request_ID="proxy-1.a")
    assert response.headers["x-request-id"] == "proxy-1.a"
    for forged in ("a b", "x" * 65, "ü"):
        assert site.get(DAYS, X_Request_ID=forged).headers["x-request-id"] != forged


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/json;q=0.5, text/csv", "text/csv; charset=utf-8"),
        ("text/csv;q=0.5, application/json;q=0.6", "application/json"),
        ("text/csv, application/json;q=0", "text/csv; charset=utf-8"),
        ("application/json;q=0, */*", "text/html; charset=utf-8"),
        ("text/html;q=0, application/json;q=0, */*", "text/csv; charset=utf-8"),
        ("text/*;q=0.3, text/html;q=0, */*;q=0.1", "text/csv; charset=utf-8"),
        ("application/json, */*", "application/json"),
        ("*/*, text/csv", "text/csv; charset=utf-8"),
        ("*/*;q=0.1", "application/json"),
        ("APPLICATION/X-NDJSON ; Q=1.0", "application/x-ndjson"),
        ("", "application/json"),
        (BROWSER, "text/html; charset=utf-8"),
    ],
)
def test_the_format_is_the_one_that_the_client_prefers(site: Site, accept: str, form: str) -> None:
    response = site.get(DAYS, Accept=accept)
    assert response.status == 200
    assert response.headers["content-type"] == form


@pytest.mark.parametrize("accept", ["application/json;q=0", "*/*;q=0", "text/*;q=0.0, image/png"])
def test_a_client_that_accepts_no_format_gets_406(site: Site, accept: str) -> None:
    assert site.get(DAYS, Accept=accept).status == 406


@pytest.mark.parametrize(
    ("accepted", "way"),
    [
        ("gzip;q=0.9, zstd;q=0.5", "gzip"),
        ("gzip, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0", "gzip"),
        ("gzip;q=0.0", None),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=0.7", "gzip"),
        ("*", "zstd"),
        ("zstd;q=0, *;q=0.1", "gzip"),
        ("br", None),
    ],
)
def test_a_file_is_compressed_as_the_client_prefers(
    site: Site, accepted: str, way: str | None
) -> None:
    response = site.get(f"{DAYS}?format=csv", Accept_Encoding=accepted)
    assert response.headers.get("content-encoding") == way


def test_a_csv_file_says_its_charset(site: Site) -> None:
    assert site.get(f"{DAYS}?format=csv").headers["content-type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    ["/api/search?q=monday&q=friday", "/api/search?q=monday&limit=1&limit=1"],
)
def test_a_repeated_search_parameter_is_refused(site: Site, path: str) -> None:
    refused = site.get(path)
    assert refused.status == 400
    assert refused.json()["detail"].endswith("appears 2 times. Send it once.")


def test_a_limit_of_any_size_is_the_largest(site: Site) -> None:
    for digits in (20, 40):
        response = site.get(f"{DAYS}?limit={'9' * digits}")
        assert (response.status, response.headers["x-airsense-limit"]) == (200, "10000")
        assert len(site.get(f"{DAYS}?format=ndjson&limit={'9' * digits}").body.splitlines()) == 7
        assert site.get(f"/api/search?q=monday&limit={'9' * digits}").json()["limit"] == 100
    long = site.get(f"{DAYS}?limit={'9' * 41}")
    assert long.status == 400
    assert long.json()["detail"] == "41 digits of limit exceed the limit of 40 in one request."
    far = site.get(f"{DAYS}?offset={'9' * 20}")
    assert far.status == 400
    assert "exceed the limit of 1,000,000" in far.json()["detail"]


@pytest.mark.parametrize(
    "value", ["1_0", " 10", "10 ", "\u0967\u0966", "\uff11\uff10", "0x10", "1e1", "--1"]
)
@pytest.mark.parametrize(
    "condition",
    [
        *("Total_Flights={}", 'Total_Flights__in="{}"', "or=Total_Flights:{}"),
        *("group_by=Day_of_Week&having=count:{}", "limit={}", "offset={}"),
    ],
)
def test_a_whole_number_is_written_in_plain_digits(site: Site, condition: str, value: str) -> None:
    response = site.get(f"{DAYS}?{quote(condition.format(value), safe='=&')}")
    assert response.status == 400, response.body
    assert "whole number" in response.json()["detail"]


@pytest.mark.parametrize("value", ["1_0.5", " 1.5", "\uff11.5", "1e1_0", "nan", "inf", "1e400"])
def test_a_number_is_written_in_plain_digits(site: Site, value: str) -> None:
    response = site.get(f"{DAYS}?Avg_Arrival_Delay__gt={quote(value)}")
    assert response.status == 400, response.body
    for same in ("1.5", "+1.5", "15e-1", "1.50"):
        path = f"{DAYS}?Avg_Arrival_Delay__gt={quote(same)}"
        assert len(site.get(path).json()["results"]) == 6


@pytest.mark.parametrize("value", ["\uff12\uff10\uff11\uff13-01-31", " 2013-01-31", "2013-01-31 "])
def test_a_date_is_written_in_plain_digits(site: Site, value: str) -> None:
    assert site.get(f"/api/flight_delay_data/?Flight_Date={quote(value)}").status == 400


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/api/delays_by_day", "/api/delays_by_day/"),
        ("/api/delays_by_day/describe/", "/api/delays_by_day/describe"),
        ("/api/search/", "/api/search"),
        ("/api/dynamic_query/", "/api/dynamic_query"),
        ("/api", "/api/"),
        ("/explorer/", "/explorer"),
    ],
)
def test_a_missing_or_extra_slash_redirects_to_the_right_address(
    site: Site, path: str, right: str
) -> None:
    for method in ("GET", "HEAD", "POST"):
        connection = http.client.HTTPConnection(urlsplit(site.url).netloc)
        connection.request(method, f"{path}?q=a%26b")
        response = connection.getresponse()
        body = response.read()
        connection.close()
        assert (response.status, response.headers["Location"]) == (308, f"{right}?q=a%26b")
        if method != "HEAD":
            detail = json.loads(body)["detail"]
            assert detail == f"There is nothing at {path}. The address is {right}"


@pytest.mark.parametrize(
    "path", ["/nothing", "/nothing/", "//example.org/", "//api", "/api/search//"]
)
def test_no_other_address_redirects(site: Site, path: str) -> None:
    assert site.get(path, Accept="*/*").status == 404
