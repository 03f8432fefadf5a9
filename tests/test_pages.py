"""The web pages: they match the data and display exactly what their address requests."""

import csv
import re
from collections.abc import Iterable
from html import escape, unescape
from urllib.parse import quote, urlsplit

import pytest
from django.db import connections
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from tests.platform import Platform, Site

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' OR 1=1 --",
    "100%",
    "%s",
    "{{ 7|add:7 }}",
    "\x00",
    "९" * 30,
]
VIEWS = [
    "table=airline_performance",
    "table=flight_delay_data&Arrival_Delay_Minutes__isnull=true&limit=5&offset=3",
    "table=flight_delay_data&Flight_Date__gte=2013-12-31&order_by=-Arrival_Delay_Minutes",
    "table=busiest_airports_by_delays&City__icontains=san&columns=Total_Arrivals,City&LIMIT=3",
    "table=busiest_airports_by_delays&City__in=%22Chicago, IL%22,%22Boston, MA%22",
    "table=delays_by_day&view=chart",
    "table=delays_by_day&view=chart&chart=day_of_week,total_flights&order_by=-Total_Flights",
]
REFUSED = [
    "Total_Flights__gte=many",
    "Total_Flights__like=4",
    "Nothing=1",
    "order_by=Nothing",
    "columns=Airline_Name,Nothing",
    "limit=-1",
    "offset=x",
    "Total_Flights=1&Total_Flights=2",
    "self=1",
]


@pytest.mark.parametrize("view", VIEWS)
def test_the_explorer_shows_the_rows_of_the_address_that_it_shows(site: Site, view: str) -> None:
    body = _body(site, f"/explorer?{view.replace(' ', '%20')}")
    (address,) = re.findall(r'id="api" href="([^"]+)"', body)
    rows = site.get(unescape(address)).json()["results"]
    assert rows
    if "view=chart" in view:
        figure = _figure(site, f"/explorer?{view}")
        assert [line[: len(row)] for line, row in zip(figure, rows, strict=True)] == [
            [str(value) for value in row.values()] for row in rows
        ]
    else:
        expected = [[_displayed(value) for value in row.values()] for row in rows]
        assert _displayed_rows(body) == expected


def test_every_row_of_a_view_can_be_downloaded_as_csv(site: Site) -> None:
    body = _body(site, "/explorer?table=flight_delay_data&Origin_City=Newark,%20NJ&limit=2")
    (address,) = re.findall(r'href="([^"]+)" aria-label="All rows as CSV"', body)
    assert len(site.get(unescape(address)).body.splitlines()) == 1 + 120_835


def test_a_submitted_form_becomes_an_address(site: Site) -> None:
    body = _body(
        site,
        "/explorer?form=1&table=busiest_airports_by_delays&view=table&City:operator=istartswith"
        "&City:text=San&Total_Arrivals__gte=1000&Total_Arrivals__lte=&City__endswith=CA"
        "&column=City&column=Total_Arrivals&order_by=-Total_Arrivals&limit=50",
    )
    (address,) = re.findall(r'id="api" href="([^"]+)"', body)
    assert unescape(address) == (
        "/api/busiest_airports_by_delays/?Total_Arrivals__gte=1000&City__endswith=CA&order_by=-Total_Arrivals"
        "&City__istartswith=San&columns=City,Total_Arrivals&limit=50"
    )


@pytest.mark.parametrize("query", REFUSED)
def test_the_explorer_refuses_an_invalid_query_with_the_message_of_the_api(
    site: Site, query: str
) -> None:
    refused = site.get(f"/api/airline_performance/?{query}")
    page = site.get(f"/explorer?table=airline_performance&{query}", Accept="text/html")
    assert page.status == refused.status == 400
    assert f'role="alert">\n    <p><b>{escape(refused.json()["detail"])}' in page.body.decode()


@pytest.mark.parametrize("query", ["view=map", "view=chart&chart=City,City", "view=chart&chart=x"])
def test_an_unknown_view_is_refused_with_the_available_views(site: Site, query: str) -> None:
    page = site.get(f"/explorer?{query}")
    assert page.status == 400
    assert "Use one of: <code>" in page.body.decode()


def test_an_unknown_table_is_not_found(site: Site) -> None:
    page = site.get("/explorer?table=nothing")
    assert page.status == 404
    assert "There are: airline_performance" in page.body.decode()


@pytest.mark.parametrize("value", HOSTILE)
def test_text_from_an_address_is_escaped(site: Site, value: str) -> None:
    quoted = quote(value)
    for path in (
        f"/explorer?table={quoted}",
        f"/explorer?Airline_Name={quoted}",
        f"/explorer?Airline_Name__in={quoted}&Total_Flights={quoted}",
        f"/explorer?{quoted}={quoted}",
        f"/explorer?order_by={quoted}&columns={quoted}&limit={quoted}&offset={quoted}",
        f"/explorer?view={quoted}&chart={quoted}",
        f"/explorer?form=1&Airline_Name:operator={quoted}&Airline_Name:text={quoted}&column={quoted}",
        f"/api/airline_performance/?Airline_Name={quoted}",
        f"/api/airline_performance/?{quoted}={quoted}",
        f"/{quoted}",
    ):
        page = site.get(path, Accept="text/html")
        assert page.status < 500, path
        assert "<script>alert" not in page.body.decode(), path
        assert "<img src=x" not in page.body.decode(), path


def test_before_the_first_transfer_pages_say_what_to_run(fresh: Platform) -> None:
    with fresh.site(processes=1) as site:
        assert "Nothing is published yet" in _body(site, "/")
        page = site.get("/explorer")
        assert page.status == 503
        assert page.headers["retry-after"] == "60"
        assert b"manage.py transfer --all" in page.body
        assert site.get("/about").status == 200


def test_unusual_data_are_displayed_and_escaped(fresh: Platform) -> None:
    fresh.env["FLIGHTS_TO_RANK"] = "1"
    evil = "<script>alert(1)</script>"
    fresh.ingest(
        f"2013-01-07,{evil},A,B,0,0\n2013-01-07,Beta,A,<b>,-1,5\n2013-01-07,Beta,A,B,-1,-5\n"
        '2013-01-07,"O\'Hara & ""Sons""",A,C,5,0\n2013-01-08,Gone,B,A,,'
    )
    fresh.manage("transfer", "--all")
    with fresh.site(processes=1) as site:
        assert "Flights from A and B, 2013" in _text(site, "/")
        for page in (_body(site, "/explorer"), _body(site, "/explorer?view=chart")):
            assert evil not in page
            assert escape(evil) in page
        assert '<span class="none" title="no value">–</span>' in _body(site, "/explorer")  # noqa: RUF001


def test_a_browser_gets_errors_as_a_page_and_a_program_as_json(site: Site) -> None:
    browser = site.get("/nothing", Accept="text/html,application/xml;q=0.9,*/*;q=0.8")
    assert browser.status == 404
    assert "<h1>There is nothing at /nothing.</h1>" in browser.body.decode()
    nothing = site.get("/nothing", Accept="*/*").json()
    assert nothing["detail"] == "There is nothing at /nothing."


@pytest.mark.parametrize("path", ["/", "/explorer", "/search?q=jfk", "/about", "/api/", "/nothing"])
def test_a_page_may_load_files_of_its_own_site_only(site: Site, path: str) -> None:
    policy = site.get(path, Accept="text/html").headers["content-security-policy"]
    assert sorted(policy.split("; ")) == sorted(STRICT.split("; "))


def test_only_the_admin_has_a_relaxed_content_security_policy(site: Site) -> None:
    policy = site.get("/admin/login/").headers["content-security-policy"]
    assert "'unsafe-eval'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in site.get("/administration").headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "queries"), [("/", 13), ("/about", 1), ("/explorer?table=flight_delay_data", 6)]
)
def test_a_page_runs_few_sql_queries(demo: Platform, path: str, queries: int) -> None:
    """Does not count the queries for published versions, four per second and table."""
    with CaptureQueriesContext(connections["reader"]) as captured:
        view = resolve(urlsplit(path).path).func
        assert view(RequestFactory().get(path)).status_code == 200
    table_queries = [query for query in captured if "flights_publishedtable" not in query["sql"]]
    assert len(table_queries) <= queries


def _body(site: Site, path: str) -> str:
    page = site.get(path)
    assert page.status == 200, page.body
    return page.body.decode()


def _text(site: Site, path: str) -> str:
    """The text of a page, with each value before its label as displayed."""
    body = re.sub(r"<dt>(.*?)</dt><dd>(.*?)</dd>", r"\2 \1", _body(site, path))
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", "", body)))


def _displayed_rows(body: str) -> list[list[str]]:
    """The cells of each row of the table."""
    rows = re.findall(r"<tr>(<td.*?)</tr>", body)
    return [_words(re.findall("<td.*?</td>", row)) for row in rows]


def _figure(site: Site, path: str) -> list[list[str]]:
    """The values of the explorer's chart: label, value and number of flights of each."""
    page = site.get(f"{unescape(path)}&figure=chart&format=csv".replace(" ", "%20"))
    assert page.status == 200, page.body
    return list(csv.reader(page.body.decode().splitlines()))[1:]


def _words(parts: Iterable[str]) -> list[str]:
    return [unescape(re.sub("<[^>]*>", "", part)) for part in parts]


def _displayed(value: object) -> str:
    if value is None:
        return "–"  # noqa: RUF001
    if isinstance(value, str):
        return value
    number = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
    return number.replace("-", "−")  # noqa: RUF001
