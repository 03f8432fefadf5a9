"""Client errors of any kind do not fill the log, and count as requests."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests import addresses, raw_http
from tests.platform import Platform, Response, Site, until
from tests.samples import daily

REPEATS = 5
FEW = 20_000  # bytes of a log
LONG = "/admin/login/" + "x" * 7_900
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
MANY = urlencode([("a", "1")] * 1_200)
LIMIT = 20

# Wrong requests of a client: the status of the response, then method, path, body and headers.
type ClientError = tuple[int, str, str, bytes | None, dict[str, str]]
KINDS: dict[str, ClientError] = {
    "unknown address": (404, "GET", "/nothing", None, {}),
    "unknown table": (404, "GET", "/api/nothing/", None, {}),
    "unknown file": (404, "GET", "/static/nothing.css", None, {}),
    "wrong method": (405, "POST", "/connector", b"", {}),
    "wrong method of the API": (405, "DELETE", "/api/delays_by_day/", None, {}),
    "repeated parameters": (400, "POST", "/api/advanced_search", MANY.encode(), FORM),
    "long address": (414, "GET", f"/api/delays_by_day/?{'x' * 8_000}", None, {}),
    "letters": (400, "GET", "/api/delays_by_day/?City=%ff", None, {}),
    "charset": (415, "POST", "/api/graphql", b"{}", {"Content_Type": "a/b; charset=undefined"}),
    "form without a token": (403, "POST", "/admin/login/", b"a=1", FORM),
    "long form without a token": (403, "POST", LONG, b"a=1", FORM),
    "form of another site": (403, "POST", "/admin/login/", b"a=1", FORM | {"Origin": "http://x"}),
    "host": (400, "GET", "/", None, {"Host": "evil.example"}),
    "large body": (413, "POST", "/api/graphql", b"x" * 100_001, {}),
    "no JSON": (400, "POST", "/api/graphql", b"{", {"Content_Type": "application/json"}),
    "token": (401, "GET", "/api/transfers/", None, {"Authorization": "Token none"}),
    "nobody": (401, "GET", "/api/transfers/", None, {}),
    "key": (401, "GET", "/api/delays_by_day/", None, {"X_API_Key": "none"}),
    "bad query": (400, "GET", "/api/delays_by_day/?nothing=1", None, {}),
}


@pytest.fixture(scope="module")
def quiet(demo: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Path]]:
    log = tmp_path_factory.mktemp("logs") / "log"
    own = Platform({**demo.env, "LOG_REPEATS_PER_MINUTE": str(REPEATS)}, log=log)
    with own.site() as site:
        yield site, log


@pytest.fixture(scope="module")
def counted(demo: Platform) -> Iterator[Site]:
    own = Platform({**demo.env, "THROTTLE_PER_MINUTE": str(LIMIT), "TRUSTED_PROXIES": "1"})
    with own.site(processes=1) as site:
        yield site


def ask(site: Site, kind: str, **more: str) -> Response:
    _, method, path, data, headers = KINDS[kind]
    return site.request(method, path, data, **headers, **more)


@pytest.mark.parametrize("kind", daily([*KINDS]))
def test_errors_of_clients_write_almost_nothing_to_the_log(
    quiet: tuple[Site, Path], kind: str
) -> None:
    site, log = quiet
    before = log.stat().st_size
    with ThreadPoolExecutor(8) as pool:
        statuses = pool.map(lambda _: ask(site, kind).status, range(150))
        assert Counter(statuses) == {KINDS[kind][0]: 150}
    written = log.read_bytes()[before:]
    assert len(written) < FEW
    assert b"Traceback" not in written
    assert max(map(len, written.splitlines()), default=0) < 1_000


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_of_a_client_is_one_request(counted: Site, kind: str) -> None:
    address = addresses.unused()
    responses = [ask(counted, kind, X_Forwarded_For=address) for _ in range(LIMIT + 3)]
    assert [response.status for response in responses] == [KINDS[kind][0]] * LIMIT + [429] * 3
    assert int(responses[-1].headers["retry-after"]) > 0
    assert f'"address";q={LIMIT};w=60' in responses[-1].headers["ratelimit-policy"]
    assert counted.get("/healthz", X_Forwarded_For=address).status == 200


def test_a_line_of_the_log_cannot_be_forged(demo: Platform, tmp_path: Path) -> None:
    own = Platform(demo.env, log=tmp_path / "log")
    # Line breaks that the admin's URL pattern accepts, so that the refusal is logged.
    breaks = ["%0d", "%0b", "%0c", "%1c", "%c2%85", "%e2%80%a8"]
    with own.site(processes=1) as site:
        for break_ in breaks:
            path = f"/admin/login/{break_}2026-01-01%20ERROR%20forged"
            raw_http.send(
                site, raw_http.head("POST", path, "Connection: close", "Content-Length: 0")
            )
        until(lambda: own.log.read_text().count("forged") == len(breaks))
    lines = own.log.read_bytes().decode().splitlines()
    assert not any(line.startswith("2026-01-01 ERROR") for line in lines)


@pytest.mark.deep
@pytest.mark.timeout(200)
def test_suppressed_log_lines_are_counted_in_one_line(demo: Platform, tmp_path: Path) -> None:
    env = {**demo.env, "LOG_REPEATS_PER_MINUTE": str(REPEATS), "LOG_REQUESTS": "none"}
    own = Platform(env, log=tmp_path / "log")
    with own.site(processes=1) as site:
        for _ in range(100):
            assert ask(site, "long form without a token").status == 403
        assert own.log.read_text().count("Forbidden") == REPEATS
        until(lambda: "Left out 95 more messages" in own.log.read_text(), seconds=90)
        assert own.log.read_text().count("Left out") == 1
        ask(site, "form without a token")
        until(lambda: own.log.read_text().count("Forbidden") == REPEATS + 1)
