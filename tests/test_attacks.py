"""Hostile requests cause no 500, no leaked SQL or traceback, and no response of another query."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model
from rest_framework.authtoken.models import Token

from tests.invariants import (
    AIRLINES,
    DYNAMIC,
    GRAPHQL,
    INSIDE,
    NAMES,
    SEARCH,
    SESSION,
    check_invariants,
    same_through_the_cache,
)
from tests.platform import Platform, Site
from tests.samples import Sample

HOSTILE = [
    *("%00", "x%00y", "%ff", "%", "%zz", "%u0041", "%C0%80", "%ED%A0%80", "%EF%BF%BF"),
    "%0D%0AX:y",
    *(
        "+",
        "%2B",
        ";",
        "=",
        "%26",
        "%23",
        "%27",
        "%22",
        "%22%22",
        "%5C",
        "%25",
        "_",
        "*",
        "--",
        "-,-",
    ),
    *(",,,,", "", "-", "{}", "[]", "((((", "1e400", "NaN", "Infinity", "9" * 400, "1_000", "0x10"),
    *("e%CC%81", "%C3%A9", "%E1%BA%9E", "%EF%BC%A3ity", "%D0%A1ity", "%D9%A1%D9%A2", "%E2%80%AE"),
    *("0000-00-00", "10000-01-01", "2013-02-30", "true", "null", "A" * 7_000, "a," * 1_000),
]


def exchange(site: Site, request: bytes) -> bytes:
    """Send bytes that no HTTP client sends, and return the response."""
    where = urlsplit(site.url)
    with socket.create_connection((str(where.hostname), int(where.port or 0)), 10) as to:
        response = b""
        try:
            to.sendall(request)
            while part := to.recv(65_536):
                response += part
        except (ConnectionResetError, BrokenPipeError):
            return response  # the server closed the connection while it received bytes
    return response


@pytest.mark.parametrize("name", NAMES)
def test_hostile_values_of_a_parameter_are_answered_or_refused(
    site: Site, name: str, sample: Sample
) -> None:
    for value in sample.of(HOSTILE):
        same_through_the_cache(site, f"{AIRLINES}?{name}={value}")


@pytest.mark.parametrize("path", [f"{DYNAMIC}&where=Airline_Name:", f"{DYNAMIC}&columns=",
                                  f"{DYNAMIC}&order_by=", f"{SEARCH}?q=", f"{SEARCH}?q=a&limit=",
                                  "/api/advanced_search?q=", f"{GRAPHQL}?query="])  # fmt: skip
def test_hostile_values_of_other_surfaces_are_answered_or_refused(
    site: Site, path: str, sample: Sample
) -> None:
    for value in sample.of(HOSTILE):
        same_through_the_cache(site, path + value)


@pytest.mark.parametrize(
    "query",
    [
        "columns=Airline_Name&Columns=Total_Flights",
        "limit=1&LIMIT=2",
        "ORDER_BY=Airline_Name&order_by=-Airline_Name",
        "group_by=Airline_Name&Group_By=",
        "limit=1&l%69mit=2",
    ],
)
def test_a_repeated_parameter_is_refused_in_any_case(site: Site, query: str) -> None:
    for path in (f"{AIRLINES}?{query}", f"{DYNAMIC}&{query}"):
        for headers in ({}, SESSION):
            response = site.get(path, **headers)
            assert response.status == 400
            assert b"appears 2 times. Send it once." in response.body


def test_columns_of_commas_only_are_all_columns(site: Site) -> None:
    assert site.get(f"{AIRLINES}?columns=,,").json() == site.get(AIRLINES).json()


@pytest.mark.parametrize("name", ["limit", "columns", "group_by", "format"])
def test_where_accepts_columns_and_no_other_parameters(site: Site, name: str) -> None:
    response = site.get(f"{DYNAMIC}&where={name}:1")
    assert response.status == 400
    assert response.json()["error"] == f"airline_performance has no column {name!r}."


def test_a_line_break_among_values_is_refused_with_the_cure(site: Site) -> None:
    response = site.get(f"{AIRLINES}?Airline_Name__in=a%0D%0Ab")
    assert response.status == 400
    assert "has to be in double quotes" in response.json()["detail"]
    assert site.get(f"{AIRLINES}?Airline_Name__in=%22a%0D%0Ab%22").status == 200


def test_options_lists_the_described_methods(site: Site) -> None:
    for path, operations in site.get("/api/schema?format=json").json()["paths"].items():
        one = "1" if "transfers" in path else "00000000-0000-4000-8000-000000000000"
        response = site.request("OPTIONS", path.replace("{id}", one))
        if response.status == 401:  # needs a login
            continue
        assert response.status == 200, path
        allowed = response.headers["allow"].split(", ")
        assert {method.upper() for method in operations} <= set(allowed), path


@pytest.mark.parametrize("path", [AIRLINES, f"{AIRLINES}?format=csv", "/"])
@pytest.mark.parametrize("part", ["bytes=0-1", "bytes=5-2", "bytes=-1", "bytes=99999999999-", "x"])
def test_responses_without_range_support_are_sent_completely(
    site: Site, path: str, part: str
) -> None:
    whole = site.get(path)
    for headers in ({}, SESSION):
        response = site.get(path, Range=part, **headers)
        assert (response.status, response.body) == (200, whole.body)
        assert "content-range" not in response.headers


def test_a_part_of_a_static_file_is_sent(site: Site) -> None:
    whole = site.get("/static/airsense.svg")
    part = site.get("/static/airsense.svg", Range="bytes=2-5")
    assert (part.status, part.body) == (206, whole.body[2:6])
    assert part.headers["content-range"] == f"bytes 2-5/{len(whole.body)}"
    assert site.get("/static/airsense.svg", Range="bytes=999999-").status == 416


def test_an_unknown_host_is_refused_and_not_logged(demo: Platform, tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    with Platform(demo.env, log=log).site(processes=1) as site:
        for path in ("/", AIRLINES, "/api/transfers/", "/admin/"):
            response = site.get(path, Host="evil.example")
            assert response.status == 400
            assert b"evil.example" not in response.body
    log_text = log.read_text()
    assert "granian" in log_text  # this is the server's log
    assert "evil.example" not in log_text
    assert "Traceback" not in log_text


@pytest.fixture(scope="module")
def superuser(demo: Platform) -> Iterator[dict[str, str]]:
    """Headers of a superuser."""
    user = get_user_model().objects.create_superuser("attacker")
    yield {"Authorization": f"Token {Token.objects.create(user=user).key}"}
    user.delete()


NUMBERS = ["%C2%B2", "%D9%A1", "-1", "1e3", "9" * 30, "9" * 5_000]
FOR_USERS = [
    *("/api/transfers/?table=", "/api/transfers/?status=", "/api/transfers/?before="),
    "/api/transfers/1/?wait=",
    "/api/exports/00000000-0000-4000-8000-000000000000?wait=",
    "/api/exports/?x=",
]


@pytest.mark.parametrize("path", FOR_USERS)
def test_hostile_values_of_privileged_users_are_answered_or_refused(
    site: Site, superuser: dict[str, str], path: str, sample: Sample
) -> None:
    for value in sample.of([*HOSTILE, *NUMBERS]):
        check_invariants(site.get(path + value, **superuser), path)


BODIES: list[Any] = [
    *(None, [], "x", 1, {"tables": ["\0"]}, {"tables": [{}]}, {"tables": [[]], "force": 1}),
    *({"table": [], "query": {}, "format": 1}, {"table": "\0", "query": "", "format": "csv"}),
    *(
        {"table": "delays_by_day", "query": query, "format": "csv"}
        for query in ("\0", "Day_of_Week=%00", "a=\ud800", "cursor=x", "limit=x", "x" * 9_000)
    ),
    {"table": "delays_by_day", "query": "", "format": "\0"},
    {"table_name": "\0"},
]


@pytest.mark.parametrize("path", ["/api/transfers/", "/api/exports/", "/transfer_table"])
def test_hostile_bodies_are_refused(site: Site, superuser: dict[str, str], path: str) -> None:
    for body in BODIES:
        payload = json.dumps(body).encode()
        response = site.request("POST", path, payload, Content_Type="application/json", **superuser)
        assert 400 <= response.status < 500, (body, response.body)
        assert not INSIDE.search(response.body)


HEADERS = [
    *(b"Accept: ", b"Accept: */*;q=0", b"Accept: foo", b"Accept: ;;,", b"Accept: \xff\xfe"),
    b"Accept: " + b"a/b," * 900,
    *(b"Accept-Encoding: *;q=0", b"Accept-Encoding: gzip;q=x", b"Accept-Encoding: \xff"),
    b"Accept-Encoding: " + b"gzip," * 3_000,
    *(b"If-None-Match: *", b"If-None-Match: W/", b"If-None-Match: \xff", b"If-Match: *"),
    *(b"If-Modified-Since: x", b"Range: bytes=0-1", b"Range: x", b"Cookie: sessionid=\xff\x01"),
    *(b"X-Forwarded-For: '\"\xff", b"X-Forwarded-Host: evil.example", b"X-Forwarded-Proto: https"),
    *(b"Origin: null", b"Origin: http://evil.example", b"Accept-Language: de", b"Expect: x"),
    *(b"X-Request-ID: \xff'\"<x>", b"X-API-Key: \xff", b"Authorization: Token \xff"),
]


@pytest.mark.parametrize("path", [AIRLINES, f"{AIRLINES}?format=csv", "/api/", SEARCH, "/"])
def test_hostile_headers_are_answered_and_poison_no_cache(site: Site, path: str) -> None:
    before = site.get(path)
    for header in HEADERS:
        request = b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n\r\n"
        status, _, rest = exchange(site, request % (path.encode(), header)).partition(b"\r\n")
        assert status[9:10] in (b"2", b"3", b"4"), (header, status)
        assert not INSIDE.search(rest), header
        assert b"evil.example" not in rest, header
    assert site.get(path).body == before.body


RAW = [
    *(b"\x16\x03\x01\x00\xa5\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 1_000),
    *(b"GET /api/ HTTP/1.0\r\n\r\n", b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    b"GET /api/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET http://evil.example/api/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /static/%2e%2e/%2e%2e/airsense/settings.py HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /api/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"GET /api/ HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    b"POST /api/graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5_0\r\n\r\n",
    b"POST /api/graphql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n\r\n",
    b"GET /api/ HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: b\r\n" * 3_000 + b"\r\n",
]


@pytest.mark.parametrize("request_", RAW, ids=range(len(RAW)))
def test_invalid_http_does_not_harm_the_server(site: Site, request_: bytes) -> None:
    ended = request_.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    response = exchange(site, ended)
    assert not re.match(rb"HTTP/1\.\d 5", response)
    assert not INSIDE.search(response)
    assert site.get("/healthz").status == 200
