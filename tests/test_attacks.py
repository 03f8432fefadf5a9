"""Hostile requests find nothing: no 500, no SQL or trace told, no answer of another query."""

import json
import re
import socket
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.whole import Answer, Site

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


def spared(answer: Answer) -> Answer:
    """What holds for every answer, whatever was asked."""
    assert answer.status in (200, 304) or 400 <= answer.status < 500, answer.body
    if answer.status >= 400:
        assert not INSIDE.search(answer.body), answer.body
        kind = answer.headers["content-type"]
        assert kind.startswith(("application/problem+json", "application/json", "text/html"))
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
    told = [spared(site.get(path)) for _ in range(2)]
    told.append(spared(site.get(path, **SESSION)))
    first, *others = map(meaning, told)
    assert others == [first, first], path


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
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def fuzz_queries(site: Site, examples: int) -> None:
    @fuzz(examples)
    @given(QUERIES, st.sampled_from([f"{AIRLINES}?", f"{DYNAMIC}&", f"{SEARCH}?"]))
    def asked(query: str, path: str) -> None:
        same_through_the_cache(site, path + query)

    asked()


def fuzz_documents(site: Site, examples: int) -> None:
    @fuzz(examples)
    @given(DOCUMENTS)
    def asked(document: str) -> None:
        body = json.dumps({"query": document}).encode()
        spared(site.ask("POST", GRAPHQL, body, Content_Type="application/json"))

    asked()


def test_queries_made_at_random_are_answered_or_refused(site: Site) -> None:
    fuzz_queries(site, 150)


def test_documents_made_at_random_are_answered_or_refused(site: Site) -> None:
    fuzz_documents(site, 150)


@pytest.mark.deep
def test_many_queries_and_documents_made_at_random(site: Site) -> None:
    fuzz_queries(site, 10_000)
    fuzz_documents(site, 5_000)


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
