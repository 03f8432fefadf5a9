"""No header of one client changes the cached response that another client gets."""

import random
from collections.abc import Iterator

import pytest

from tests import raw_http
from tests.nginx import in_front_of
from tests.platform import Platform, Response, Site, until

CHARSETS = ["utf-32", "utf-16", "latin-1", "utf-7", "shift_jis", "unicode_escape", "cp037", "idna"]
BOSTON = "City=Boston,%20MA&columns=City"
PATHS = [
    f"/api/busiest_airports_by_delays/?{BOSTON}&order_by=-Total_Arrivals",
    "/api/dynamic_query?table_name=busiest_airports_by_delays&columns=City",
    f"/explorer?table=busiest_airports_by_delays&{BOSTON}",
    "/api/search?q=boston%20caf%C3%A9",
    "/api/graphql?query=%7Bdelays_by_day%7Bversion%7D%7D",
    "/api/busiest_airports_by_delays/describe",
    "/api/schema?format=json",
    "/api/",
    "/",
]
SAME = ("content-type", "etag", "cache-control", "x-airsense-version")

# Headers that Django, Django REST framework, a view or a proxy might read, and unusual ones.
VALUES = {
    "Accept": ["text/html;q=0.1, */*", "application/json;q=0", "text/csv", "*/*;q=0.5", "x/y", ""],
    "Accept-Charset": ["utf-32", "latin-1;q=1"],
    "Accept-Encoding": ["gzip", "br, gzip;q=0", "zstd", "identity;q=0", "*"],
    "Accept-Language": ["de", "ar-EG, *;q=0"],
    "Content-Type": [f"a/b; charset={charset}" for charset in CHARSETS] + ["text/csv", "a"],
    "Authorization": ["Token nobody", "Basic eDp4"],
    "Cookie": [
        "sessionid=nobody",
        "django_language=de",
        "csrftoken=x",
        "messages=x",
        "theme=dark",
        "a=b; c",
    ],
    "DNT": ["1"],
    "Expect": ["nothing"],
    "Forwarded": ["host=evil.example;proto=https;for=1.2.3.4"],
    "From": ["evil@example.org"],
    "HX-Request": ["true"],
    "If-Match": ['"x"', "*"],
    "If-Modified-Since": ["Fri, 01 Jan 2038 00:00:00 GMT"],
    "If-None-Match": ['"x"', 'W/"x"', "*"],
    "If-Range": ['"x"'],
    "If-Unmodified-Since": ["Fri, 01 Jan 1999 00:00:00 GMT"],
    "Max-Forwards": ["0"],
    "Origin": ["https://evil.example", "null"],
    "Prefer": ["return=minimal"],
    "Range": ["bytes=0-1", "bytes=-1"],
    "Referer": ["https://evil.example/"],
    "Sec-Fetch-Mode": ["navigate"],
    "TE": ["trailers"],
    "Upgrade": ["websocket"],
    "User-Agent": ["evil", ""],
    "Via": ["1.1 evil"],
    "Want-Repr-Digest": ["sha-256=1"],
    "X-API-Key": ["nobody-has-this"],
    "X-CSRFToken": ["x"],
    "X-Forwarded-For": ["1.2.3.4", "not an address"],
    "X-Forwarded-Host": ["evil.example"],
    "X-Forwarded-Port": ["1"],
    "X-Forwarded-Prefix": ["/evil"],
    "X-Forwarded-Proto": ["https"],
    "X-HTTP-Method-Override": ["DELETE", "POST"],
    "X-Original-URL": ["/admin/"],
    "X-Requested-With": ["XMLHttpRequest"],
    "X-Rewrite-URL": ["/admin/"],
    "X-Request-ID": ["evil"],
    "X-Script-Name": ["/evil"],
    "QUERY_STRING": ["limit=0"],
    "wsgi.url_scheme": ["https"],
}


@pytest.fixture(scope="module")
def one(demo: Platform) -> Iterator[Site]:
    """One web process, and therefore one cache."""
    with demo.site(processes=1) as site:
        until(lambda: site.get("/api/").headers["x-airsense-cache"] != "bypass")
        yield site


@pytest.fixture(scope="module")
def clean(demo: Platform) -> Iterator[Site]:
    """Another web process, which gets only plain requests."""
    with demo.site(processes=1) as site:
        yield site


def assert_same(response: Response, right: Response) -> None:
    assert (response.status, response.body) == (right.status, right.body)
    for name in SAME:
        assert response.headers.get(name) == right.headers.get(name)


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_charset_of_the_client_decodes_no_address(one: Site, clean: Site, charset: str) -> None:
    for number, path in enumerate(PATHS[:5]):
        sign = "&" if "?" in path else "?"
        fresh = f"{path}{sign}limit={CHARSETS.index(charset) + 1}" if number == 0 else path
        for _ in range(16):
            one.get(fresh, Content_Type=f"a/b; charset={charset}")
        assert_same(one.get(fresh), clean.get(fresh))


def test_nginx_caches_no_response_that_a_header_of_one_client_changed(
    one: Site, clean: Site
) -> None:
    with in_front_of(one) as front:
        for charset in CHARSETS:
            path = f"{PATHS[0]}&limit=1{CHARSETS.index(charset)}"
            for _ in range(16):
                front.get(path, Content_Type=f"a/b; charset={charset}")
            assert front.get(path).body == clean.get(path).body


@pytest.mark.parametrize("seed", range(4))
def test_no_combination_of_headers_changes_what_others_get(
    one: Site, clean: Site, seed: int
) -> None:
    _try_combinations(one, clean, seed, 25)


@pytest.mark.deep
def test_no_combination_of_many_headers_changes_a_response(one: Site, clean: Site) -> None:
    _try_combinations(one, clean, 15, 1_500)


def _try_combinations(one: Site, clean: Site, seed: int, rounds: int) -> None:
    """Try each combination on a path that is not cached yet, where possible."""
    chance = random.Random(seed)  # noqa: S311  # the same each time
    for number in range(rounds):
        path = chance.choice(PATHS)
        if path in PATHS[:3]:
            path += f"&limit={chance.randrange(20, 9_000)}"
        sent = {
            name: chance.choice(VALUES[name])
            for name in chance.sample(list(VALUES), chance.randint(1, 8))
        }
        lines = [f"{name}: {value}" for name, value in sent.items()]
        method = chance.choice(["GET", "GET", "HEAD"])
        response = raw_http.send(one, raw_http.head(method, path, *lines, "Connection: close"))
        assert raw_http.status(response) < 500, (number, sent)
        try:
            assert_same(one.get(path), clean.get(path))
        except AssertionError as error:
            raise AssertionError(f"{path} was changed by {method} with {sent}") from error


def test_a_header_with_an_underscore_is_no_other_header(one: Site) -> None:
    query = f"{PATHS[0]}&limit=77"
    odd = raw_http.head(
        "GET", query, "Accept_Encoding: gzip", "If_None_Match: *", "Connection: close"
    )
    assert raw_http.status(raw_http.send(one, odd)) == 200


def test_an_encoded_question_mark_is_no_parameter(one: Site) -> None:
    assert one.get("/api/delays_by_day/%3Flimit=1").status == 404
    assert len(one.get("/api/delays_by_day/?limit=1").json()["results"]) == 1


@pytest.mark.parametrize("query", ["City=%FF", "q=caf%E9", "q=%C3%28", "x=%ED%A0%80", "%FF=1"])
@pytest.mark.parametrize("path", ["/api/busiest_airports_by_delays/", "/api/search", "/explorer"])
def test_a_query_that_is_not_utf8_is_refused(one: Site, path: str, query: str) -> None:
    for headers in ({}, {"Cookie": "sessionid=x"}):
        response = one.get(f"{path}?{query}", Accept="application/json", **headers)
        assert response.status == 400
        assert response.json()["detail"].startswith("The query of the address is not UTF-8")


def test_raw_bytes_of_an_address_are_read_as_utf8(one: Site) -> None:
    written = raw_http.head("GET", "/api/search?q=caf\xe9", "Connection: close")
    assert raw_http.status(raw_http.send(one, written)) == 400
    right = raw_http.head("GET", "/api/search?q=z\xc3\xbcrich", "Connection: close")
    assert raw_http.status(raw_http.send(one, right)) == 200


@pytest.mark.parametrize("path", [PATHS[0], "/", "/api/search?q=boston", PATHS[4]])
def test_if_none_match_with_an_asterisk_matches_every_existing_response(
    one: Site, path: str
) -> None:
    for _ in range(2):  # from Django, then from the cache
        response = one.get(path, If_None_Match="*")
        assert (response.status, response.body) == (304, b"")
        assert response.headers["etag"] == one.get(path).headers["etag"]
    assert one.get("/api/nowhere/", If_None_Match="*").status == 404
    assert one.get(f"{PATHS[0]}&Nope=1", If_None_Match="*").status == 400


def test_clients_that_prefer_the_same_format_share_a_cached_response(one: Site) -> None:
    path = f"{PATHS[0]}&limit=55"
    for accept in (
        "text/html, */*;q=0.8",
        "text/html;q=1.0,image/avif,*/*;q=0.1",
        "*/*;q=0.3,text/html",
    ):
        last = one.get(path, Accept=accept)
    assert last.headers["x-airsense-cache"] == "hit"
    assert last.headers["content-type"].startswith("text/html")
