"""Downloads of stored exports: ranges, conditions and HEAD as RFC 9110 specifies."""

import shutil
import subprocess
from collections.abc import Iterator
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.platform import Platform, Response, Site
from tests.test_background_exports import finished_export

QUERY = "Origin_City=Newark, NJ&order_by=-Arrival_Delay_Minutes&limit=5000"
CURL = shutil.which("curl") or "curl"


@pytest.fixture(scope="module")
def live(demo: Platform) -> Iterator[Site]:
    with demo.running("worker"), demo.site(processes=1) as site:
        yield site


@pytest.fixture(scope="module")
def url(live: Site) -> str:
    return str(finished_export(live, QUERY, "parquet")["url"])


@pytest.fixture(scope="module")
def whole(live: Site, url: str) -> Response:
    response = live.get(url)
    assert response.status == 200
    assert response.headers["accept-ranges"] == "bytes"
    return response


def outcome(live: Site, url: str, **headers: str) -> tuple[int, bytes]:
    response = live.get(url, **headers)
    return response.status, response.body


def test_a_range_request_returns_the_named_bytes(live: Site, url: str, whole: Response) -> None:
    body, size = whole.body, len(whole.body)
    for header, start, stop in (
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("bytes=1000-", 1000, size),
        (f"bytes=10-{size + 100}", 10, size),
        (f"bytes=10-{'9' * 100}", 10, size),
        ("bytes=-8", size - 8, size),
        (f"bytes=-{size + 1}", 0, size),
        ("BYTES=7-8", 7, 9),
        (f"bytes=2-3, {size}-", 2, 4),
    ):
        part = live.get(url, Range=header)
        assert (part.status, part.body) == (206, body[start:stop]), header
        assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        assert part.headers["content-length"] == str(stop - start)
        for name in ("etag", "last-modified", "content-type", "accept-ranges"):
            assert part.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    "header",
    [
        "bytes=9-5",
        "bytes=-",
        "bytes=",
        "bytes=a-b",
        "rows=1-2",
        "1-2",
        "bytes=1-2,x",
        "bytes=0-1,5-6",
    ],
)
def test_invalid_and_multiple_ranges_return_the_whole_file(
    live: Site, url: str, whole: Response, header: str
) -> None:
    assert outcome(live, url, Range=header) == (200, whole.body)


def test_a_part_that_the_file_does_not_have_is_refused_with_its_size(
    live: Site, url: str, whole: Response
) -> None:
    size = len(whole.body)
    for header in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=-0", f"bytes={9**99}-"):
        response = live.get(url, Range=header, Accept="*/*")
        assert response.status == 416, header
        assert response.headers["content-range"] == f"bytes */{size}"
        assert response.headers["content-type"] == "application/problem+json"
        assert f"{size:,} bytes" in response.json()["detail"]


def test_a_part_is_sent_only_of_the_file_that_if_range_names(
    live: Site, url: str, whole: Response
) -> None:
    etag, modified = whole.headers["etag"], whole.headers["last-modified"]
    later = formatdate(parsedate_to_datetime(modified).timestamp() + 1, usegmt=True)
    for condition, holds in (
        (etag, True),
        (modified, True),
        (later, False),
        (f"W/{etag}", False),
        ('"other"', False),
        ("*", False),
        ("nonsense", False),
    ):
        result = outcome(live, url, Range="bytes=5-9", If_Range=condition)
        assert result == ((206, whole.body[5:10]) if holds else (200, whole.body)), condition
    assert outcome(live, url, If_Range=etag) == (200, whole.body)


def test_conditional_headers_are_evaluated_in_the_order_of_rfc_9110(
    live: Site, url: str, whole: Response
) -> None:
    etag, modified = whole.headers["etag"], whole.headers["last-modified"]
    second = parsedate_to_datetime(modified).timestamp()
    before, after = formatdate(second - 1, usegmt=True), formatdate(second + 1, usegmt=True)
    for headers, status in (
        ({"If_None_Match": etag}, 304),
        ({"If_None_Match": f'"x", W/{etag}'}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"x"'}, 200),
        ({"If_None_Match": '"x"', "If_Modified_Since": modified}, 200),
        ({"If_Modified_Since": modified}, 304),
        ({"If_Modified_Since": after}, 304),
        ({"If_Modified_Since": before}, 200),
        ({"If_Modified_Since": "nonsense"}, 200),
        ({"If_Match": etag}, 200),
        ({"If_Match": "*"}, 200),
        ({"If_Match": f"W/{etag}"}, 412),
        ({"If_Match": '"x"'}, 412),
        ({"If_Match": '"x"', "If_None_Match": etag}, 412),
        ({"If_Match": etag, "If_None_Match": etag}, 304),
        ({"If_Match": etag, "If_Unmodified_Since": before}, 200),
        ({"If_Unmodified_Since": before}, 412),
        ({"If_Unmodified_Since": modified}, 200),
        ({"If_None_Match": etag, "Range": "bytes=0-1"}, 304),
        ({"If_Match": etag, "Range": "bytes=0-1"}, 206),
        ({"If_Match": '"x"', "Range": "bytes=0-1"}, 412),
    ):
        response = live.get(url, **headers)
        assert response.status == status, headers
        if status == 304:
            assert response.body == b""
            assert response.headers["etag"] == etag
            assert response.headers["last-modified"] == modified
        if status == 412:
            assert response.headers["content-type"] == "application/problem+json"


def test_head_describes_the_file_without_a_body(live: Site, url: str, whole: Response) -> None:
    own = {"date", "x-request-id", "transfer-encoding"}
    for headers in ({}, {"Range": "bytes=0-4"}):
        head = live.request("HEAD", url, None, **headers)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(whole.body))
        assert {n: v for n, v in head.headers.items() if n not in own} == {
            n: v for n, v in whole.headers.items() if n not in own
        }
    assert live.request("HEAD", url, None, If_None_Match=whole.headers["etag"]).status == 304


@pytest.mark.parametrize("suffix", [False, True])
def test_random_parts_are_those_of_the_file(
    live: Site, url: str, whole: Response, suffix: bool
) -> None:
    size = len(whole.body)
    number = st.integers(0, size + 10)

    @given(number, number)
    @settings(deadline=None, max_examples=50)
    def check(first: int, length: int) -> None:
        header = f"bytes=-{length}" if suffix else f"bytes={first}-{first + length}"
        start = max(0, size - length) if suffix else first
        part = whole.body[start:] if suffix else whole.body[first : first + length + 1]
        status, body = outcome(live, url, Range=header)
        assert (status, body) == (206, part) if part else status == 416

    check()


def test_curl_resumes_an_interrupted_download(
    live: Site, url: str, whole: Response, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(whole.body[:777])
    command = [CURL, "--silent", "--fail", "--continue-at", "-", "--output", str(file)]
    for _ in range(2):  # the second time the file is complete and the response is 416
        subprocess.run([*command, live.url + url], check=False, timeout=60)
        assert file.read_bytes() == whole.body


def test_a_file_that_was_removed_has_no_parts_and_no_conditions(live: Site) -> None:
    from flights.exports import retention
    from flights.models import Export

    export = finished_export(live, f"{QUERY}&offset=1")
    retention.STORAGE.delete(Export.objects.get(pk=export["id"]).stored)
    for headers in ({}, {"Range": "bytes=0-1"}, {"If_None_Match": "*"}):
        assert live.get(export["url"], **headers).status == 410
    assert live.request("HEAD", export["url"]).status == 410


def test_an_empty_file_has_no_parts(live: Site) -> None:
    url = finished_export(live, "Airline_Name=none", "ndjson")["url"]
    for header in ("bytes=0-", "bytes=-5"):
        assert outcome(live, url, Range=header) == (200, b"")
