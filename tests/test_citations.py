"""Citations keep a figure for ever: its values, its picture and its version."""

import csv
import io
import re
from html import unescape

import pytest
import requests
from playwright.sync_api import expect

from tests.browser import assert_accessible, chromium, opened
from tests.platform import Platform, Site
from tests.samples import Sample

TABLES = ("performance_by_month", "flight_delay_data")
HEADER = (
    "Flight_Date,Airline_Name,Airline_Code,Origin,Destination,Origin_City,Destination_City,"
    "Departure_Delay_Minutes,Arrival_Delay_Minutes"
)


def test_a_citation_stays_when_the_data_change(fresh: Platform) -> None:
    _publish(fresh, late=25)
    with fresh.site(processes=1) as site:
        address = _cite(site, "/", "months")
        before = _main(site, address)
        picture = site.get(f"{address}?format=svg").body
        assert "75.00 % of 100 flights" in _text(before)
        _publish(fresh, late=90)
        assert "10.00 % of 100 flights" in _text(site.get("/").body.decode())
        assert _main(site, address) == before
        assert site.get(f"{address}?format=svg").body == picture
        rows = list(csv.reader(io.StringIO(site.get(f"{address}?format=csv").body.decode())))
        assert rows == [["Month", "%", "Flights"], ["Jan 2013", "75.0", "100"]]
        assert site.get(f"{address}?format=png").body.startswith(b"\x89PNG")


def test_the_rows_of_any_query_can_be_cited(site: Site) -> None:
    page = "/explorer?table=performance_by_route&Origin=JFK&Destination=MCO&columns=Airline_Code"
    address = _cite(site, page, "rows")
    assert "Origin is JFK; Destination is MCO" in _main(site, address)
    rows = list(csv.reader(io.StringIO(site.get(f"{address}?format=csv").body.decode())))
    assert rows == [["Airline Code"], ["AA"], ["B6"], ["DL"]]
    assert site.get(f"{address}?format=png").body.startswith(b"\x89PNG")


def test_the_same_figure_is_cited_once(site: Site) -> None:
    assert _cite(site, "/", "hours") == _cite(site, "/", "hours")
    assert _cite(site, "/", "hours") != _cite(site, "/", "months")


def test_a_citation_has_texts_to_copy_and_a_way_to_the_current_figure(site: Site) -> None:
    address = _cite(site, "/", "airlines")
    body = unescape(site.get(address).body.decode())
    assert f"http://localhost:8000{address}" in body
    assert re.search(r"AirSense, “Airlines”, \d+ \w+ \d{4}\. US Bureau of .*version 1\.", body)
    assert "@misc{airsense-" in body
    assert f'<iframe src="http://localhost:8000/embed/{address.split("/")[2]}"' in body
    assert '<a href="/">See the current figure</a>' in body
    assert '<a href="/api/performance_by_month/?group_by=' in body


def test_bibtex_escapes_the_characters_that_latex_interprets(site: Site) -> None:
    address = _cite(site, "/", "airlines")
    body = unescape(site.get(address).body.decode())
    assert r"performance\_by\_month, version 1}," in body


def test_only_an_embedded_figure_may_be_framed(site: Site) -> None:
    address = _cite(site, "/", "months")
    frame = site.get(f"/embed/{address.split('/')[2]}")
    assert "frame-ancestors *" in frame.headers["content-security-policy"]
    assert "x-frame-options" not in frame.headers
    for path in ("/", address, "/explorer"):
        page = site.get(path)
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/citations/nothing/", "/embed/nothing"])
def test_an_unknown_citation_is_404(site: Site, path: str) -> None:
    assert site.get(path).status == 404


def test_a_picture_has_its_style_and_can_load_nothing(site: Site) -> None:
    policy = site.get("/?figure=months&format=svg").headers["content-security-policy"]
    assert policy == "default-src 'none'; frame-ancestors 'none'; style-src 'unsafe-inline'"


def test_an_unknown_figure_cannot_be_cited(site: Site) -> None:
    response = requests.post(f"{site.url}/", {"figure": "nothing"}, timeout=30)
    assert response.status_code == 400
    assert "is not a figure of this page" in unescape(response.text)


def test_the_number_of_citations_a_day_is_limited(fresh: Platform) -> None:
    fresh.env["CITATIONS_A_DAY"] = "1"
    _publish(fresh, late=25)
    with fresh.site(processes=1) as site:
        address = _cite(site, "/", "months")
        response = requests.post(f"{site.url}/", {"figure": "airlines"}, timeout=30)
        assert response.status_code == 503
        assert "The limit of 1 new citation in 24 hours is reached." in response.text
        assert _cite(site, "/", "months") == address  # an existing one is not new


def test_a_figure_is_cited_and_embedded_by_clicking(site: Site, sample: Sample) -> None:
    with chromium() as browser, opened(browser, site.url) as page:
        page.goto("/")
        page.get_by_role("button", name="Cite or embed: On time by month").click()
        expect(page.get_by_role("heading", name="On time by month")).to_be_visible()
        assert_accessible(page, sample)
        address = page.url
        page.goto(f"/embed/{address.split('/')[-2]}")
        expect(page.get_by_role("img")).to_be_visible()
        assert_accessible(page, sample)


def _publish(fresh: Platform, late: int) -> None:
    """Publish 100 flights of an airline, `late` of them late."""
    lines = [
        f"2013-01-0{1 + n // 40},Any,A1,AAA,ZZZ,A,Z,0,{60 if n < late else 0}" for n in range(100)
    ]
    fresh.warehouse.mkdir(parents=True, exist_ok=True)
    (file := fresh.warehouse / "coded.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    for command in (["ingest", "--replace", str(file)], ["broker"], ["transfer", *TABLES]):
        fresh.manage(*command)


def _cite(site: Site, page: str, figure: str) -> str:
    url = f"{site.url}{page}"
    response = requests.post(url, {"figure": figure}, allow_redirects=False, timeout=30)
    assert response.status_code == 302, response.text
    return response.headers["Location"]


def _main(site: Site, path: str) -> str:
    """The page without its footer, which says when a table was last published."""
    return site.get(path).body.decode().partition("<footer")[0]


def _text(body: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", "", body)))
