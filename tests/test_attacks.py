"""Hostile requests find nothing: no 500, no SQL or trace told, no answer of another query."""

import base64
import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import yaml
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rest_framework.authtoken.models import Token

from flights.errors import PROBLEM
from tests.whole import Answer, Platform, Site

AIRLINES = "/api/airline_performance/"
DYNAMIC = "/api/dynamic_query?table_name=airline_performance"
SEARCH = "/api/search"
GRAPHQL = "/api/graphql"
SESSION = {"Cookie": "sessionid=none"}  # passes by the response cache
INSIDE = re.compile(
    rb'Traceback|File "|psycopg|site-packages|SELECT .* FROM|__v\d+["\s]|/home/|/work/'
)

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
NAMES = [
    *("limit", "offset", "order_by", "columns", "cursor", "count", "facets", "format", "group_by"),
    *("aggregate", "having", "or", "Airline_Name", "Airline_Name__in", "Airline_Name__icontains"),
    *("Total_Flights__gte", "Total_Flights__in", "Avg_Arrival_Delay", "Airline_Name__regex", "pk"),
]


FIRST = ("/api/dynamic_query", "/api/advanced_search")
SLACK = 2.0  # seconds that an answer may take beside its statement, on a busy machine


def spared(answer: Answer, path: str) -> Answer:
    """What holds for every answer, whatever was asked."""
    assert answer.status in (200, 304) or 400 <= answer.status < 500, answer.body
    if answer.status >= 400:
        assert not INSIDE.search(answer.body), answer.body
        if answer.headers["content-type"].startswith("text/html"):
            assert "format=api" in path.lower(), path  # nobody else asked for a page
        else:
            well_formed(answer, path)
    return answer


def well_formed(answer: Answer, path: str) -> None:
    """An error has the shape of its route, and says no more than that."""
    said, kind = answer.json(), answer.headers["content-type"]
    if kind == PROBLEM:
        assert {"type", "title", "status", "detail"} <= said.keys(), said
        assert said.keys() <= {"type", "title", "status", "detail", "allowed"}, said
        assert (said["type"], said["status"]) == ("about:blank", answer.status)
        assert answer.status in (413, 414) or not path.startswith((*FIRST, GRAPHQL)), path
    elif path.startswith(GRAPHQL):
        assert said["errors"][0]["extensions"]["status"] == answer.status
    else:
        assert path.startswith(FIRST), (path, kind)
        assert kind == "application/json"
        assert "error" in said
        assert said.keys() <= {"error", "allowed"}


def timely(site: Site, method: str, path: str, **headers: str) -> Answer:
    """An answer that came within the time that the tables state."""
    began = time.monotonic()
    answer = spared(site.ask(method, path, None, **headers), path)
    assert time.monotonic() - began < django_settings.READER_TIMEOUT_MS / 1000 + SLACK, path
    return answer


def meaning(answer: Answer) -> object:
    """Links name parameters in any order; which of several mistakes is told depends on it, too."""
    if answer.status >= 400:
        return answer.status
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return answer.status, answer.body
    body = json.loads(answer.body)
    if isinstance(body, dict):
        links = {n: sorted(parse_qsl(str(body[n]))) for n in ("next", "previous") if n in body}
        body = {**body, **links}
    return answer.status, body


def same_through_the_cache(site: Site, path: str) -> None:
    told = [timely(site, "GET", path) for _ in range(2)]
    told.append(timely(site, "GET", path, **SESSION))
    first, *others = map(meaning, told)
    assert others == [first, first], path
    assert site.ask("HEAD", path).status == told[0].status


def exchange(site: Site, request: bytes) -> bytes:
    """What the server says to bytes that no HTTP client would send."""
    where = urlsplit(site.url)
    with socket.create_connection((str(where.hostname), int(where.port or 0)), 10) as to:
        answer = b""
        try:
            to.sendall(request)
            while part := to.recv(65_536):
                answer += part
        except (ConnectionResetError, BrokenPipeError):
            return answer  # it closed while bytes were on their way
    return answer


@pytest.mark.parametrize("name", NAMES)
def test_hostile_values_of_a_parameter_are_answered_or_refused(site: Site, name: str) -> None:
    for value in HOSTILE:
        same_through_the_cache(site, f"{AIRLINES}?{name}={value}")


@pytest.mark.parametrize("path", [f"{DYNAMIC}&where=Airline_Name:", f"{DYNAMIC}&columns=",
                                  f"{DYNAMIC}&order_by=", f"{SEARCH}?q=", f"{SEARCH}?q=a&limit=",
                                  "/api/advanced_search?q=", f"{GRAPHQL}?query="])  # fmt: skip
def test_hostile_values_elsewhere_are_answered_or_refused(site: Site, path: str) -> None:
    for value in HOSTILE:
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
def test_a_name_given_twice_is_refused_in_whatever_case(site: Site, query: str) -> None:
    for path in (f"{AIRLINES}?{query}", f"{DYNAMIC}&{query}"):
        for headers in ({}, SESSION):
            answer = site.get(path, **headers)
            assert answer.status == 400
            assert b"is given 2 times. Give it once." in answer.body


def test_commas_alone_name_no_columns(site: Site) -> None:
    assert site.get(f"{AIRLINES}?columns=,,").json() == site.get(AIRLINES).json()


@pytest.mark.parametrize("name", ["limit", "columns", "group_by", "format"])
def test_a_condition_of_where_is_on_a_column_alone(site: Site, name: str) -> None:
    answer = site.get(f"{DYNAMIC}&where={name}:1")
    assert answer.status == 400
    assert answer.json()["error"] == f"airline_performance has no column {name!r}."


def test_a_line_break_among_values_is_refused_with_the_cure(site: Site) -> None:
    answer = site.get(f"{AIRLINES}?Airline_Name__in=a%0D%0Ab")
    assert answer.status == 400
    assert "has to be in double quotes" in answer.json()["detail"]
    assert site.get(f"{AIRLINES}?Airline_Name__in=%22a%0D%0Ab%22").status == 200


PIECES = st.one_of(
    st.sampled_from(["Airline_Name", "Total_Flights", "avg:Total_Flights", "count", "-", "1", "0"]),
    st.sampled_from(["__gte", "__nulls_first", "__in", "__not", ":", ",", '"', "%", "'", "\0"]),
    st.text(max_size=8),
    st.integers().map(str),
    st.floats().map(str),
)
VALUES = st.lists(PIECES, max_size=6).map("".join)
PARAMETERS = st.tuples(st.one_of(st.sampled_from(NAMES), VALUES), VALUES)
QUERIES = st.lists(PARAMETERS, max_size=5).map(
    lambda pairs: urlencode(
        [(n.encode("utf-8", "replace"), v.encode("utf-8", "replace")) for n, v in pairs]
    )
)
DOCUMENTS = st.lists(
    st.one_of(
        st.sampled_from(["{", "}", "(", ")", "airline_performance", "rows", "limit:", "where:",
                         "Airline_Name", "groups", "count", "query", "fragment", "...", "@skip",
                         "$n", "search", '"', "[", "]", "1", "-1", "1e999", "null"]),
        st.text(max_size=5),
    ),
    max_size=25,
).map(" ".join)  # fmt: skip


def fuzz(examples: int) -> settings:
    """The same examples each time, so that a failure is nobody's bad luck."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def as_described(site: Site) -> Draft202012Validator:
    """What the description says of a page of rows."""
    described = yaml.safe_load(site.get("/api/schema").body)
    told = described["paths"][AIRLINES]["get"]["responses"]["200"]["content"]["application/json"]
    return Draft202012Validator({**told["schema"], "components": described["components"]})


def fuzz_queries(site: Site, examples: int) -> None:
    described = as_described(site)

    @fuzz(examples)
    @given(QUERIES, st.sampled_from([f"{AIRLINES}?", f"{DYNAMIC}&", f"{SEARCH}?"]))
    def asked(query: str, path: str) -> None:
        same_through_the_cache(site, path + query)
        answer = site.get(path + query)
        kind = answer.headers.get("content-type")
        if path.startswith(AIRLINES) and answer.status == 200 and kind == "application/json":
            described.validate(answer.json())

    asked()


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([])
)
POSITIONS = st.one_of(
    st.tuples(st.integers(0, 3), st.booleans(), st.lists(SCALARS, max_size=4)),
    st.tuples(st.just(1), st.booleans(), st.tuples(st.integers(), st.text(max_size=5))),
    st.tuples(SCALARS, SCALARS, SCALARS),
    SCALARS,
)


def fuzz_cursors(site: Site, examples: int) -> None:
    path = f"{AIRLINES}?Total_Flights__gte=1000&order_by=Total_Flights&limit=3&cursor="
    version = site.get(path).json()["version"]

    @fuzz(examples)
    @given(st.one_of(POSITIONS.map(json.dumps), st.text(max_size=9)))
    @example("[1, false, [null, null]]")  # of columns that are never null
    def asked(position: str) -> None:
        cursor = base64.urlsafe_b64encode(position.encode("utf-8", "replace")).decode().rstrip("=")
        answer = timely(site, "GET", path + cursor)
        assert answer.status in (200, 400, 410), answer.body
        if answer.status == 200:
            assert answer.json()["version"] == version
            assert all(row["Total_Flights"] >= 1_000 for row in answer.json()["results"])

    asked()


def fuzz_documents(site: Site, examples: int) -> None:
    @fuzz(examples)
    @given(DOCUMENTS)
    def asked(document: str) -> None:
        body = json.dumps({"query": document}).encode()
        spared(site.ask("POST", GRAPHQL, body, Content_Type="application/json"), GRAPHQL)

    asked()


def test_queries_made_at_random_are_answered_or_refused(site: Site) -> None:
    fuzz_queries(site, 150)


def test_documents_made_at_random_are_answered_or_refused(site: Site) -> None:
    fuzz_documents(site, 150)


def test_cursors_that_nobody_was_given_lead_to_no_other_rows(site: Site) -> None:
    fuzz_cursors(site, 150)


@pytest.mark.deep
def test_many_queries_documents_and_cursors_made_at_random(site: Site) -> None:
    fuzz_queries(site, 10_000)
    fuzz_documents(site, 5_000)
    fuzz_cursors(site, 5_000)


def test_options_tell_what_is_described(site: Site) -> None:
    for path, operations in yaml.safe_load(site.get("/api/schema").body)["paths"].items():
        one = "1" if "transfers" in path else "00000000-0000-4000-8000-000000000000"
        answer = site.ask("OPTIONS", path.replace("{id}", one))
        if answer.status == 401:  # only to who may
            continue
        assert answer.status == 200, path
        allowed = answer.headers["allow"].split(", ")
        assert {method.upper() for method in operations} <= set(allowed), path


@pytest.mark.parametrize("path", [AIRLINES, f"{AIRLINES}?format=csv", "/"])
@pytest.mark.parametrize("part", ["bytes=0-1", "bytes=5-2", "bytes=-1", "bytes=99999999999-", "x"])
def test_what_has_no_parts_is_sent_whole(site: Site, path: str, part: str) -> None:
    whole = site.get(path)
    for headers in ({}, SESSION):
        answer = site.get(path, Range=part, **headers)
        assert (answer.status, answer.body) == (200, whole.body)
        assert "content-range" not in answer.headers


def test_a_part_of_a_static_file_is_sent(site: Site) -> None:
    whole = site.get("/static/airsense.svg")
    part = site.get("/static/airsense.svg", Range="bytes=2-5")
    assert (part.status, part.body) == (206, whole.body[2:6])
    assert part.headers["content-range"] == f"bytes 2-5/{len(whole.body)}"
    assert site.get("/static/airsense.svg", Range="bytes=999999-").status == 416


def test_a_wrong_host_is_refused_and_no_news(demo: Platform, tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    with Platform(demo.env, log=log).site(processes=1) as site:
        for path in ("/", AIRLINES, "/api/transfers/", "/admin/"):
            answer = site.get(path, Host="evil.example")
            assert answer.status == 400
            assert b"evil.example" not in answer.body
    said = log.read_text()
    assert "granian" in said  # what is logged comes here
    assert "evil.example" not in said
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def allowed(demo: Platform) -> Iterator[dict[str, str]]:
    """What somebody sends who may do everything."""
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
def test_who_may_more_may_not_be_more_hostile(
    site: Site, allowed: dict[str, str], path: str
) -> None:
    for value in [*HOSTILE, *NUMBERS]:
        spared(site.get(path + value, **allowed), path)


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
def test_hostile_bodies_are_refused(site: Site, allowed: dict[str, str], path: str) -> None:
    for body in BODIES:
        sent = json.dumps(body).encode()
        answer = site.ask("POST", path, sent, Content_Type="application/json", **allowed)
        assert 400 <= answer.status < 500, (body, answer.body)
        assert not INSIDE.search(answer.body)


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
def test_hostile_headers_are_borne_and_poison_nothing(site: Site, path: str) -> None:
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
def test_bytes_that_are_no_request_are_borne(site: Site, request_: bytes) -> None:
    ended = request_.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    answer = exchange(site, ended)
    assert not re.match(rb"HTTP/1\.\d 5", answer)
    assert not INSIDE.search(answer)
    assert site.get("/healthz").status == 200
